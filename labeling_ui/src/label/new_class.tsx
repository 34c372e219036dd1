import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { className } from "../class_name";
import type { Desk } from "./use_desk";

/** Name a class that does not exist yet; Enter answers with it. */
export function NewClass({ desk, canAnswer }: { desk: Desk; canAnswer: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const [name, setName] = useState("");
  useLayoutEffect(() => input.current?.focus(), []);

  const submit = (event: Event) => {
    event.preventDefault();
    if (canAnswer && className(name)) desk.addClass(className(name));
  };

  return (
    <form class="panel" onSubmit={submit}>
      <label class="panel-title" for="new-class-name">
        New class
      </label>
      <div class="panel-row">
        <input
          id="new-class-name"
          data-testid="new-class-name"
          ref={input}
          value={name}
          maxLength={200}
          autocomplete="off"
          placeholder="Its name"
          onInput={(event) => setName(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && desk.open("none")}
        />
        <button class="button primary with-key" disabled={!canAnswer || !className(name)}>
          Answer with it
          <kbd>Enter</kbd>
        </button>
        <button type="button" class="button ghost with-key" onClick={() => desk.open("none")}>
          <kbd>Esc</kbd>
          Back
        </button>
      </div>
    </form>
  );
}
