import { useLayoutEffect, useRef } from "preact/hooks";
import { ClassButton } from "./class_button";
import { ClassFilter } from "./class_filter";
import type { AnswerDeed } from "./deeds";
import type { KeyMap } from "./keys";
import { NewClass } from "./new_class";
import type { Question } from "./question";
import { SkipMenu } from "./skip_menu";
import type { Desk } from "./use_desk";

interface AnswersParts {
  classes: readonly string[];
  keys: KeyMap;
  colours: ReadonlyMap<string, string>;
  desk: Desk;
  current: Question | null;
  last: AnswerDeed | null;
}

export function Answers({ classes, keys, colours, desk, current, last }: AnswersParts) {
  const row = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => flash(row.current, last), [last]);
  const longest = Math.max(2, ...classes.map((name) => [...name].length));
  const terse = longest === 2 && classes.every((name) => (keys.keyOf.get(name) ?? name) === name);

  return (
    <div class="answers">
      {desk.panel === "skip" && <SkipMenu desk={desk} />}
      {desk.panel === "newClass" && <NewClass desk={desk} canAnswer={current !== null} />}
      {desk.panel === "filter" && <ClassFilter classes={classes} desk={desk} />}
      {classes.length === 0 && current && (
        <p class="quiet answers-none">
          No classes yet. {desk.openClasses ? "Name the first one with New class." : ""}
        </p>
      )}
      <div
        ref={row}
        hidden={desk.panel === "filter"}
        class={terse ? "class-row terse" : "class-row"}
        role="group"
        aria-label="Answers"
        style={{ "--longest": String(longest) }}
      >
        {classes.map((name) => (
          <ClassButton
            key={name}
            name={name}
            shortcut={keys.keyOf.get(name) ?? null}
            colour={colours.get(name)!}
            previous={current?.previous === name}
            disabled={!current}
            onAnswer={desk.answer}
          />
        ))}
      </div>
    </div>
  );
}

/** A brief glow on the class just answered: the hand knows what it did. */
function flash(row: HTMLElement | null, last: AnswerDeed | null): void {
  if (!row || !last || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const button of row.querySelectorAll<HTMLElement>("[data-label]"))
    if (button.dataset["label"] === last.label)
      button.animate(
        [{ boxShadow: "0 0 0 3px var(--accent)" }, { boxShadow: "0 0 0 6px transparent" }],
        { duration: 260, easing: "ease-out" },
      );
}
