import { useLayoutEffect, useRef } from "preact/hooks";
import type { InputKind, Reason } from "../api/types";
import { Guess } from "./guess";
import { type KeyMap, keyOfCommand } from "./keys";
import type { Question } from "./question";
import { SampleView } from "./sample_view";
import type { Desk } from "./use_desk";

const REASONS: Record<Reason, [words: string, why: string]> = {
  uncertain: ["Unsure", "The model is unsure about this one."],
  novel: ["New", "This is unlike what the model has seen."],
  exploration: ["Spot check", "Asked at random, to measure the accuracy honestly."],
};

interface StageParts {
  held: readonly Question[];
  input: InputKind | null;
  colours: ReadonlyMap<string, string>;
  desk: Desk;
  keys: KeyMap;
}

/**
 * The question on screen. Those that wait are drawn too, out of sight, so that a key press
 * only has to uncover the next one.
 */
export function Stage({ held, input, colours, desk, keys }: StageParts) {
  const { query } = held[0]!;
  const [words, why] = REASONS[query.reason] ?? [query.reason, ""];
  const samples = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => focusSample(samples.current), [query.id, desk.panel]);
  return (
    <div class="stage" data-testid="query" data-query-id={query.id}>
      <div class="stage-head">
        <span class="stage-title">{query.display?.title ?? query.sample_id}</span>
        <span class="tag" title={why}>
          {words}
        </span>
      </div>
      <div ref={samples} class="stage-samples">
        {held.map((question, place) => (
          <div
            key={question.query.id}
            class="stage-sample"
            data-waiting={place > 0 || undefined}
            aria-hidden={place > 0}
            tabIndex={place > 0 ? undefined : 0}
            role="group"
            aria-label="The sample"
          >
            <SampleView query={question.query} input={input} />
          </div>
        ))}
      </div>
      <Guess
        query={query}
        colours={colours}
        shown={desk.guessShown}
        shortcut={keyOfCommand(keys, "guess")}
        onToggle={desk.toggleGuess}
      />
    </div>
  );
}

/** Focus that is nowhere, or on the sample before, goes to the sample: keys that scroll then scroll it. */
function focusSample(samples: HTMLElement | null): void {
  const { activeElement } = document;
  if (activeElement !== document.body && !samples?.contains(activeElement)) return;
  samples?.querySelector<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
}
