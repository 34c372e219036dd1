const FILLED = new Set([0, 2, 4, 6]);

/** The product's mark: a small binary trace. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <rect class="mark-ground" width="24" height="24" rx="5.5" />
      {Array.from({ length: 9 }, (_, cell) => (
        <circle
          class={FILLED.has(cell) ? "mark-on" : "mark-off"}
          cx={6.5 + 5.5 * (cell % 3)}
          cy={6.5 + 5.5 * Math.floor(cell / 3)}
          r="2"
        />
      ))}
    </svg>
  );
}
