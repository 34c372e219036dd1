import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { accuracyFigure } from "../format/accuracy";
import { knownValues, type Placed, plotColumns } from "./plot_data";
import type { PlotKind } from "./plot_kinds";
import { PLOT_HEIGHT, plotOptions } from "./plot_options";

interface PlotParts {
  kind: PlotKind;
  points: readonly Placed[] | null;
  limit: number | null;
  /** Places on the horizontal axis where something happened. */
  marks?: readonly number[];
}

const NO_MARKS: readonly number[] = [];

export function Plot({ kind, points, limit, marks = NO_MARKS }: PlotParts) {
  const box = useRef<HTMLDivElement>(null);
  const known = knownValues(points ?? []);
  const last = known.at(-1);
  const now = lastWords(kind, points ?? []);
  const empty = known.length === 0;
  useDrawing(box, kind, points ?? [], limit, marks, empty);

  return (
    <figure
      class="card plot"
      data-testid={`plot-${kind.name}`}
      data-points={known.length}
      data-last={last ?? ""}
    >
      <figcaption>
        <h2>{kind.title}</h2>
        <strong>{now}</strong>
      </figcaption>
      <div
        ref={box}
        class="plot-box"
        role="img"
        aria-label={`${kind.title}${kind.along === "time" ? " over time" : ""}, ${now === "" ? "no values yet" : `now ${now}`}`}
      />
      {empty && <p class="plot-empty quiet">{points === null ? "" : "No values yet"}</p>}
    </figure>
  );
}

/** The last value; of a value with an interval, that where it says more. */
function lastWords(kind: PlotKind, points: readonly Placed[]): string {
  const last = points.findLast(({ value }) => value !== null);
  if (last === undefined || last.value === null) return "";
  const { value, low = null, high = null } = last;
  return kind.band ? accuracyFigure({ estimate: value, low, high }) : kind.words(value);
}

function useDrawing(
  box: { current: HTMLDivElement | null },
  kind: PlotKind,
  points: readonly Placed[],
  limit: number | null,
  marks: readonly number[],
  empty: boolean,
): void {
  const plot = useRef<uPlot | null>(null);
  const limited = limit !== null;
  const columns = plotColumns(points, kind.band, limit);
  const latest = useRef({ columns, marks });
  latest.current = { columns, marks };

  useEffect(() => {
    const element = box.current;
    if (!element || empty) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        plotOptions(kind, element.clientWidth, limited, () => latest.current.marks),
        latest.current.columns,
        element,
      );
    };
    draw();
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: PLOT_HEIGHT }),
    );
    resize.observe(element);
    // The canvas keeps its colours, so a change of theme draws it anew.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      dark.removeEventListener("change", draw);
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [kind, limited, empty]);

  useEffect(() => plot.current?.setData(columns), [points, limit, marks]);
}
