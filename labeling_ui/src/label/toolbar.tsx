import { type Command, type KeyMap, keyOfCommand } from "./keys";
import type { Desk } from "./use_desk";

interface ToolbarParts {
  desk: Desk;
  keys: KeyMap;
  canUndo: boolean;
  /** Nothing is on screen to answer. */
  idle: boolean;
}

const SYMBOLS: Record<string, string> = { Backspace: "⌫" };

export function Toolbar({ desk, keys, canUndo, idle }: ToolbarParts) {
  const tool = (command: Command) => keySymbol(keyOfCommand(keys, command));
  return (
    <div class="toolbar" role="toolbar" aria-label="Question tools">
      <button class="button with-key" data-testid="undo" disabled={!canUndo} onClick={desk.undo}>
        <Key of={tool("undo")} />
        Undo
      </button>
      <button
        class="button with-key"
        data-testid="skip"
        disabled={idle}
        aria-expanded={desk.panel === "skip"}
        onClick={() => desk.open(desk.panel === "skip" ? "none" : "skip")}
      >
        <Key of={tool("skip")} />
        Skip
      </button>
      <button
        class="button with-key"
        data-testid="new-class"
        disabled={idle || !desk.openClasses}
        title={desk.openClasses ? undefined : "This stream’s classes are closed"}
        aria-expanded={desk.panel === "newClass"}
        onClick={() => desk.open(desk.panel === "newClass" ? "none" : "newClass")}
      >
        <Key of={tool("newClass")} />
        New class
      </button>
      {desk.filterable && (
        <button class="button with-key" disabled={idle} onClick={() => desk.open("filter")}>
          <Key of={tool("filter")} />
          Find class
        </button>
      )}
      <button class="button ghost with-key push" onClick={() => desk.open("help")}>
        <Key of={tool("help")} />
        Keys
      </button>
    </div>
  );
}

function Key({ of: key }: { of: string | null }) {
  return key === null ? null : <kbd aria-hidden="true">{key}</kbd>;
}

export function keySymbol(key: string | null): string | null {
  return key === null ? null : (SYMBOLS[key] ?? key);
}
