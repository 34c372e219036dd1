/** Which key answers which class, and which keys are left for commands. */

export type Command =
  "undo" | "skip" | "unclear" | "newClass" | "filter" | "guess" | "guidelines" | "help";

/** Each command's keys, best first; a class that owns a key takes it from the command. */
export const COMMAND_KEYS: Record<Command, readonly string[]> = {
  undo: ["Backspace", "u"],
  skip: ["s", "-"],
  unclear: ["S"],
  newClass: ["n", "+"],
  filter: ["/"],
  guess: ["h", "."],
  guidelines: ["g", ","],
  help: ["?"],
};

export interface KeyMap {
  keyOf: ReadonlyMap<string, string>;
  classOf: ReadonlyMap<string, string>;
  commandOf: ReadonlyMap<string, Command>;
}

const SPARE_KEYS = [..."1234567890", ..."abcdefghijklmnopqrstuvwxyz"];

export function assignKeys(classes: readonly string[]): KeyMap {
  const keyOf = new Map<string, string>();
  const classOf = new Map<string, string>();
  for (const name of classes.filter(isOneCharacter)) {
    keyOf.set(name, name);
    classOf.set(name, name);
  }
  claimOtherCase(classOf);
  const reserved = new Set(Object.values(COMMAND_KEYS).flat());
  const spare = SPARE_KEYS.filter((key) => !classOf.has(key) && !reserved.has(key));
  for (const name of classes) {
    if (keyOf.has(name)) continue;
    const key = spare.shift();
    if (key === undefined) break;
    keyOf.set(name, key);
    classOf.set(key, name);
  }
  return { keyOf, classOf, commandOf: freeCommands(classOf) };
}

/** The first key that still works for a command, if any. */
export function keyOfCommand(keys: KeyMap, command: Command): string | null {
  return COMMAND_KEYS[command].find((key) => keys.commandOf.get(key) === command) ?? null;
}

function isOneCharacter(name: string): boolean {
  return [...name].length === 1 && name.trim() !== "";
}

/** Caps lock must not matter: "a" also answers for "A", unless that is a class of its own. */
function claimOtherCase(classOf: Map<string, string>): void {
  for (const [key, name] of [...classOf])
    for (const other of [key.toLowerCase(), key.toUpperCase()])
      if (!classOf.has(other)) classOf.set(other, name);
}

function freeCommands(classOf: ReadonlyMap<string, string>): Map<string, Command> {
  const free = new Map<string, Command>();
  for (const [command, keys] of Object.entries(COMMAND_KEYS) as [Command, string[]][])
    for (const key of keys) if (!classOf.has(key)) free.set(key, command);
  return free;
}
