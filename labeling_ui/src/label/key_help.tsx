import { useLayoutEffect, useRef } from "preact/hooks";
import { COMMAND_KEYS, type Command, type KeyMap } from "./keys";
import { keySymbol } from "./toolbar";
import type { Desk } from "./use_desk";

const WORDS: Record<Command, string> = {
  undo: "Take the last answer back",
  skip: "Skip, with a reason (1–3)",
  unclear: "Skip as unclear, at once",
  newClass: "Answer with a new class",
  filter: "Find a class by typing",
  guess: "Show or hide the model’s guess",
  guidelines: "Show or hide the guidelines",
  help: "Show these keys",
};

export function KeyHelp({ keys, desk }: { keys: KeyMap; desk: Desk }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
    // Its focus is on Close, at the end; what is read begins at the top.
    dialog.current?.scrollTo(0, 0);
  }, []);
  const commands = (Object.keys(WORDS) as Command[]).filter(
    (command) =>
      (command !== "filter" || desk.filterable) && (command !== "newClass" || desk.openClasses),
  );

  const longest = Math.max(1, ...[...keys.keyOf.keys()].map((name) => [...name].length));

  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={() => desk.open("none")}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="help-body">
        <h2 id="help-title">Keys</h2>
        <dl class="help-keys" style={{ "--longest": String(longest) }}>
          {[...keys.keyOf].map(([name, key]) => (
            <div key={name}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{name}</dd>
            </div>
          ))}
        </dl>
        <dl class="help-commands">
          {commands.map((command) => (
            <div key={command}>
              <dt>
                {freeKeys(keys, command).map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{WORDS[command]}</dd>
            </div>
          ))}
        </dl>
        <button class="button primary" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

function freeKeys(keys: KeyMap, command: Command): string[] {
  const free = COMMAND_KEYS[command].filter((key) => keys.commandOf.get(key) === command);
  const words = free.map((key) => (key === "S" ? "Shift+S" : keySymbol(key)!));
  return command === "undo" ? [...words, "Ctrl+Z"] : words;
}
