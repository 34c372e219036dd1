/**
 * Class colours that also tell apart for colour-blind eyes:
 * Okabe and Ito's eight (black replaced by grey), then Paul Tol's muted set.
 */
// prettier-ignore
const PALETTE = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#e8d62f", "#8c8c8c",
  "#7b4fb5", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255",
  "#aa4499", "#6699cc", "#7f5539", "#b07aa1",
] as const;

export function classColours(
  classes: readonly string[],
  chosen: Record<string, string> = {},
): Map<string, string> {
  // A class may be called as what every object has: "constructor".
  const chosenOf = new Map(Object.entries(chosen));
  return new Map(
    classes.map((name, index) => [name, chosenOf.get(name) ?? PALETTE[index % PALETTE.length]!]),
  );
}
