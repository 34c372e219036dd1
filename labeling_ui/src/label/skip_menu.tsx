import { useLayoutEffect, useRef } from "preact/hooks";
import type { SkipReason } from "../api/types";
import type { Desk } from "./use_desk";

export const SKIP_REASONS: readonly { reason: SkipReason; words: string; hint: string }[] = [
  { reason: "unclear", words: "Unclear", hint: "it cannot be told from what is shown" },
  { reason: "not_for_me", words: "Not for me", hint: "somebody else should answer" },
  { reason: "none_of_these", words: "None of these", hint: "no class fits" },
];

export function SkipMenu({ desk }: { desk: Desk }) {
  const first = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => first.current?.focus(), []);
  return (
    <div class="panel" role="group" aria-label="Why skip this question?">
      <p class="panel-title">Why skip this one?</p>
      <div class="panel-row">
        {SKIP_REASONS.map(({ reason, words, hint }, index) => (
          <button
            key={reason}
            ref={index === 0 ? first : undefined}
            class="button with-key"
            title={`${words}: ${hint}`}
            onClick={() => desk.skip(reason)}
          >
            <kbd>{index + 1}</kbd>
            {words}
          </button>
        ))}
        <button class="button ghost with-key" onClick={() => desk.open("none")}>
          <kbd>Esc</kbd>
          Back
        </button>
      </div>
    </div>
  );
}
