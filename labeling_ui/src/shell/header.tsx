import type { Person } from "../api/types";
import { type Route, hrefOf } from "../router";
import { useStore } from "../store";
import type { StreamList } from "../streams/stream_list";
import { Mark } from "./mark";

interface HeaderParts {
  route: Route;
  person: Person;
  streams: StreamList;
  onSignOut: () => void;
}

export function Header({ route, person, streams, onSignOut }: HeaderParts) {
  const current = "stream" in route ? route : null;
  return (
    <header class="header">
      <a class="brand" href="#/" aria-label="Engram, all streams">
        <Mark />
        <span>Engram</span>
      </a>
      {current && <StreamSwitcher page={current.page} stream={current.stream} list={streams} />}
      {current && (
        <nav class="tabs" aria-label="Pages of this stream">
          <Tab page="label" route={current}>
            Label
          </Tab>
          <Tab page="operate" route={current}>
            Operate
          </Tab>
        </nav>
      )}
      <div class="who">
        <span class="who-name" title={`Signed in as ${person.name}`}>
          {person.name}
          {person.name !== person.role && <span class="who-role">{person.role}</span>}
        </span>
        <button class="button ghost" onClick={onSignOut}>
          Sign out
        </button>
      </div>
    </header>
  );
}

interface TabParts {
  page: "label" | "operate";
  route: { page: string; stream: string };
  children: string;
}

function Tab({ page, route, children }: TabParts) {
  return (
    <a href={hrefOf(page, route.stream)} aria-current={route.page === page ? "page" : undefined}>
      {children}
    </a>
  );
}

interface SwitcherParts {
  page: "label" | "operate";
  stream: string;
  list: StreamList;
}

function StreamSwitcher({ page, stream, list }: SwitcherParts) {
  const { items } = useStore(list);
  const names = items?.map((item) => item.name) ?? [];
  if (!names.includes(stream)) names.unshift(stream);
  return (
    <label class="switcher">
      <span class="sr-only">Stream</span>
      <select
        value={stream}
        onChange={(event) => {
          location.hash = hrefOf(page, event.currentTarget.value);
          event.currentTarget.blur();
        }}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
