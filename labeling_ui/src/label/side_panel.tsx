import { accuracyFigure, intervalWords } from "../format/accuracy";
import { coverage, plural } from "../format/numbers";
import type { StreamWatch } from "../live/stream_watch";
import { Sparkline } from "./sparkline";
import type { Desk } from "./use_desk";

export function SidePanel({ watch, desk }: { watch: StreamWatch; desk: Desk }) {
  return (
    <aside class="side" aria-label="About this stream">
      <AccuracyCard watch={watch} />
      <Guidelines text={watch.stream?.guidelines ?? ""} desk={desk} />
    </aside>
  );
}

function AccuracyCard({ watch }: { watch: StreamWatch }) {
  const accuracy = watch.stats?.accuracy;
  return (
    <section class="card side-card">
      <header>
        <h2>Accuracy</h2>
        <strong>{accuracyFigure(accuracy)}</strong>
      </header>
      <Sparkline points={watch.series.accuracy ?? []} />
      <p class="fine">
        {accuracy?.estimate == null
          ? "It shows after the first answers."
          : `${intervalWords(accuracy)}, from ${plural(accuracy.labels, "label")}${coverage(accuracy.covered)}`}
      </p>
    </section>
  );
}

function Guidelines({ text, desk }: { text: string; desk: Desk }) {
  if (!text) return null;
  return (
    <section class="card side-card">
      <button class="fold" aria-expanded={desk.guidelinesShown} onClick={desk.toggleGuidelines}>
        <h2>Guidelines</h2>
        <kbd aria-hidden="true">g</kbd>
      </button>
      {desk.guidelinesShown && <div class="guidelines">{paragraphs(text)}</div>}
    </section>
  );
}

/** Plain text with a few habits of Markdown: headings, lists, paragraphs. */
function paragraphs(text: string) {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block, index) => {
      const heading = /^#+\s+(.*)$/.exec(block);
      if (heading) return <h3 key={index}>{heading[1]}</h3>;
      const lines = block.split("\n");
      if (lines.every((line) => /^\s*[-*]\s/.test(line)))
        return (
          <ul key={index}>
            {lines.map((line) => (
              <li key={line}>{line.replace(/^\s*[-*]\s+/, "")}</li>
            ))}
          </ul>
        );
      return <p key={index}>{block}</p>;
    });
}
