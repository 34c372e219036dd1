import { useState } from "preact/hooks";

/** A yes or no that this browser remembers. */
export function usePreference(name: string, unset: boolean): [boolean, (value: boolean) => void] {
  const key = `engram.${name}`;
  const [value, setValue] = useState(() => {
    const kept = localStorage.getItem(key);
    return kept === null ? unset : kept === "yes";
  });
  return [
    value,
    (next) => {
      localStorage.setItem(key, next ? "yes" : "no");
      setValue(next);
    },
  ];
}
