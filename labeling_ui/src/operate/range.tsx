export interface Range {
  words: string;
  seconds: number | null;
}

export const RANGES: readonly Range[] = [
  { words: "All", seconds: null },
  { words: "7 d", seconds: 7 * 86400 },
  { words: "24 h", seconds: 86400 },
  { words: "1 h", seconds: 3600 },
];

export function RangePicker({
  chosen,
  onChoose,
}: {
  chosen: Range;
  onChoose: (range: Range) => void;
}) {
  return (
    <div class="segments" role="group" aria-label="Time shown">
      {RANGES.map((range) => (
        <button
          key={range.words}
          aria-pressed={range.words === chosen.words}
          onClick={() => onChoose(range)}
        >
          {range.words}
        </button>
      ))}
    </div>
  );
}
