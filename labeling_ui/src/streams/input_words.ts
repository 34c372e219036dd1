import type { InputKind } from "../api/types";

/** An input kind in a few words. */
export function inputWords(input: InputKind): string {
  switch (input.kind) {
    case "vector":
      return `Vector, ${input.dim} numbers`;
    case "image":
      return `Image, ${input.width} × ${input.height}${input.channels === 1 ? "" : " colour"}`;
    case "text":
      return "Text";
    case "tabular": {
      const count = Object.keys(input.fields).length;
      return `Table, ${count} ${count === 1 ? "field" : "fields"}`;
    }
  }
}

/** A sample's data that this stream would accept, to show how one is posted. */
export function exampleData(input: InputKind): string {
  switch (input.kind) {
    case "vector": {
      const shown = Math.min(input.dim, 3);
      return `[${Array(shown).fill("0.0").join(", ")}${input.dim > shown ? ", …" : ""}]`;
    }
    case "image":
      return '{"png": "…base64…"}';
    case "text":
      return '"some words to classify"';
    case "tabular": {
      const example = ([field, type]: [string, string]) =>
        `"${field}": ${type === "number" ? "1.0" : '"…"'}`;
      return `{${Object.entries(input.fields).slice(0, 3).map(example).join(", ")}}`;
    }
  }
}
