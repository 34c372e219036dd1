import type { Point } from "../api/monitoring_types";
import { accuracyFigure } from "../format/accuracy";
import { percent } from "../format/numbers";
import { type SparkShape, sparkShape } from "./spark_shape";

export function Sparkline({ points }: { points: readonly Point[] }) {
  const shape = sparkShape(points);
  const { value = null, low = null, high = null } = shape?.last ?? {};
  return (
    <div
      class="spark"
      data-testid="accuracy-plot"
      data-points={shape?.count ?? 0}
      data-last={value ?? ""}
      role="img"
      aria-label={
        value === null
          ? "No accuracy yet"
          : `Accuracy over time, now ${accuracyFigure({ estimate: value, low, high })}`
      }
    >
      {shape && <Drawing shape={shape} />}
    </div>
  );
}

function Drawing({ shape }: { shape: SparkShape }) {
  return (
    <>
      <svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
        <path class="spark-band" d={shape.band} />
        <path class="spark-line" d={shape.line} />
      </svg>
      {shape.end && (
        <i
          class="spark-dot"
          style={{ left: `${shape.end.x}%`, top: `${(shape.end.y / 40) * 100}%` }}
        />
      )}
      <span class="spark-top">{percent(shape.top, 0)}</span>
      <span class="spark-bottom">{percent(shape.bottom, 0)}</span>
    </>
  );
}
