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
const RESERVED = new Set(Object.values(COMMAND_KEYS).flat());

/**
 * Keys for all classes that there are keys for. What has a key in `before` keeps it, classes and
 * commands alike: hands know it by now. Otherwise a class named by a key takes that from a command.
 */
export function assignKeys(classes: readonly string[], before: KeyMap | null = null): KeyMap {
  const keyOf = new Map(before?.keyOf);
  const classOf = new Map(before?.classOf);
  const free = (key: string) => !classOf.has(key) && !before?.commandOf.has(key);
  const fresh = classes.filter((name) => !keyOf.has(name));
  const named = fresh.filter((name) => isOneCharacter(name) && free(name));
  for (const name of named) {
    classOf.set(name, name);
    if (isOnEveryKeyboard(name)) keyOf.set(name, name);
  }
  claimOtherCase(named, classOf, free);
  const spare = SPARE_KEYS.filter((key) => free(key) && !RESERVED.has(key));
  for (const name of fresh) {
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

/** Others, such as 正 or é, answer to themselves where they can be typed, and have a spare key. */
function isOnEveryKeyboard(character: string): boolean {
  return /^[!-~]$/.test(character);
}

/** Caps lock must not matter: "a" also answers for "A", unless that is a class of its own. */
function claimOtherCase(
  names: readonly string[],
  classOf: Map<string, string>,
  free: (key: string) => boolean,
): void {
  for (const name of names)
    for (const other of [name.toLowerCase(), name.toUpperCase()])
      if (free(other)) classOf.set(other, name);
}

function freeCommands(classOf: ReadonlyMap<string, string>): Map<string, Command> {
  const free = new Map<string, Command>();
  for (const [command, keys] of Object.entries(COMMAND_KEYS) as [Command, string[]][])
    for (const key of keys) if (!classOf.has(key)) free.set(key, command);
  return free;
}
