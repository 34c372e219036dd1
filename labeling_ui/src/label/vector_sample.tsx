import { short } from "../format/numbers";

const HEIGHT = 100;

/** A vector as a compact bar chart, one bar per number around a zero line. */
export function VectorSample({ values }: { values: readonly number[] }) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const scale = HEIGHT / (high - low || 1);
  const zero = high * scale;
  const bars = values.map((value, index) => {
    const top = Math.min(zero, zero - value * scale);
    const height = Math.max(Math.abs(value) * scale, 0.4);
    return `M${index + 0.12} ${top.toFixed(2)}h.76v${height.toFixed(2)}h-.76z`;
  });
  const words = `${values.length} numbers from ${short(Math.min(...values))} to ${short(Math.max(...values))}`;
  return (
    <figure class="vector">
      <svg
        viewBox={`0 0 ${values.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`The sample to label: ${words}`}
      >
        <path class="vector-bars" d={bars.join("")} />
        <path class="vector-zero" d={`M0 ${zero}H${values.length}`} />
      </svg>
      <figcaption class="fine">{words}</figcaption>
    </figure>
  );
}
