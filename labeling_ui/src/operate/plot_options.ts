import type uPlot from "uplot";
import type { PlotKind } from "./plot_kinds";

export const PLOT_HEIGHT = 220;
const FONT = "12px ui-sans-serif, system-ui, sans-serif";

/** Time axis words by the distance of the ticks in seconds; the second format adds the day where it changes. */
const TIME_WORDS = [
  [365 * 86400, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * 86400, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [0.001, "{HH}:{mm}:{ss}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
] as uPlot.Axis.Values;

/** How one kind of plot is drawn, in the colours of the page as it is now. */
export function plotOptions(
  kind: PlotKind,
  width: number,
  limited: boolean,
  marks: () => readonly number[],
): uPlot.Options {
  const css = getComputedStyle(document.documentElement);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const line = colour(kind.colour);
  return {
    width,
    height: PLOT_HEIGHT,
    padding: [12, 30, 0, 0], // half of the longest time, "16:10:37", may stand beyond the last point
    cursor: { points: { size: 7 }, drag: { setScale: false } },
    scales: {
      x: {
        time: kind.along === "time",
        range: ({ data: [xs] }) =>
          around(xs[0] ?? 0, xs.at(-1) ?? 0, kind.along === "time" ? 30 : 1),
      },
      y: { range: (_plot, low, high) => kind.range(low ?? 0, high ?? 1) },
    },
    axes: axes(kind, colour),
    series: seriesOf(kind, line, limited ? colour("--ink-3") : null),
    hooks: { draw: [(plot) => drawMarks(plot, marks(), colour("--watch"))] },
    bands: kind.band ? [{ series: [3, 2], fill: `${line}26` }] : [],
  };
}

/** From the first to the last point; where that is one, so far around it. */
export function around(low: number, high: number, least: number): [number, number] {
  return low < high ? [low, high] : [low - least, high + least];
}

/** Upright lines where something happened. */
function drawMarks(plot: uPlot, marks: readonly number[], colour: string): void {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.strokeStyle = colour;
  plot.ctx.lineWidth = devicePixelRatio * 1.5;
  plot.ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = plot.valToPos(mark, "x", true);
    if (x < left || x > left + width) continue;
    plot.ctx.beginPath();
    plot.ctx.moveTo(x, top);
    plot.ctx.lineTo(x, top + height);
    plot.ctx.stroke();
  }
  plot.ctx.restore();
}

function axes(kind: PlotKind, colour: (name: string) => string): uPlot.Axis[] {
  const shared = {
    stroke: colour("--ink-2"),
    font: FONT,
    labelFont: FONT,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const inPercent = kind.axis.endsWith("%");
  const words = (value: number) => (inPercent ? `${Number((value * 100).toFixed(2))}` : `${value}`);
  return [
    {
      ...shared,
      grid: { show: false },
      ...(kind.along === "time"
        ? { values: TIME_WORDS, label: "local time" }
        : { label: "labels spent" }),
      labelSize: 18,
      size: 40,
      space: 64,
    },
    {
      ...shared,
      label: kind.axis,
      labelSize: 20,
      size: 44,
      values: (_plot, splits) => splits.map(words),
    },
  ];
}

function place(kind: PlotKind): uPlot.Series {
  return kind.along === "time"
    ? { label: "time", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" }
    : { label: "labels" };
}

function seriesOf(kind: PlotKind, line: string, limitColour: string | null): uPlot.Series[] {
  const words = (_plot: uPlot, value: number | null) => (value == null ? "–" : kind.words(value));
  const value: uPlot.Series = {
    label: kind.title.toLowerCase(),
    stroke: line,
    width: 2,
    spanGaps: true,
    points: { show: (plot) => plot.data[0].length < 3, size: 7, fill: line },
    value: words,
  };
  const edge = (label: string): uPlot.Series => ({
    ...value,
    label,
    width: 0,
    points: { show: false },
  });
  const all: uPlot.Series[] = [place(kind), value];
  if (kind.band) all.push(edge("low"), edge("high"));
  if (kind.limit && limitColour)
    all.push({
      ...value,
      label: kind.limit,
      stroke: limitColour,
      width: 1.5,
      dash: [6, 5],
      points: { show: false },
    });
  return all;
}
