import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Desk } from "./use_desk";

interface FilterParts {
  classes: readonly string[];
  desk: Desk;
}

/** The classes that match what was typed, best first: by beginning, then anywhere. */
export function matching(classes: readonly string[], typed: string): string[] {
  const wanted = typed.trim().toLowerCase();
  const begins = (name: string) => name.toLowerCase().startsWith(wanted);
  const contains = (name: string) => name.toLowerCase().includes(wanted);
  return [...classes.filter(begins), ...classes.filter((name) => !begins(name) && contains(name))];
}

/** Find one of many classes by typing; arrows move, Enter answers. */
export function ClassFilter({ classes, desk }: FilterParts) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [chosen, choose] = useState(0);
  useLayoutEffect(() => input.current?.focus(), []);
  const found = matching(classes, typed).slice(0, 6);

  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") desk.open("none");
    else if (event.key === "Enter" && found[chosen]) desk.answer(found[chosen]);
    else if (step) choose((chosen + step + found.length) % Math.max(found.length, 1));
    else return;
    event.preventDefault();
  };

  return (
    <div class="panel">
      <label class="panel-title" for="class-filter">
        Find a class
      </label>
      <input
        id="class-filter"
        ref={input}
        value={typed}
        role="combobox"
        aria-expanded="true"
        aria-controls="class-filter-list"
        aria-activedescendant={found[chosen] ? `found-${chosen}` : undefined}
        autocomplete="off"
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          choose(0);
        }}
        onKeyDown={press}
      />
      <ul id="class-filter-list" class="found" role="listbox" aria-label="Classes found">
        {found.map((name, index) => (
          <li
            key={name}
            id={`found-${index}`}
            role="option"
            aria-selected={index === chosen}
            onClick={() => desk.answer(name)}
          >
            {name}
          </li>
        ))}
        {found.length === 0 && <li class="quiet">No class matches.</li>}
      </ul>
    </div>
  );
}
