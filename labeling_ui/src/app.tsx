import { useEffect, useMemo } from "preact/hooks";
import type { Engram } from "./api/engram";
import type { Person } from "./api/types";
import { LabelPage } from "./label/page";
import { Sessions } from "./label/sessions";
import { OperatePage } from "./operate/page";
import { type Route, useRoute } from "./router";
import { Header } from "./shell/header";
import { SignInPage } from "./signin/page";
import type { SessionStore } from "./signin/session_store";
import { StreamsPage } from "./streams/page";
import type { StreamList } from "./streams/stream_list";
import { useStore } from "./store";

interface Parts {
  api: Engram;
  session: SessionStore;
  streams: StreamList;
}

export function App({ api, session, streams }: Parts) {
  const { person, state } = useStore(session);
  const route = useRoute();
  const token = route.page === "signin" ? route.token : null;
  const next = route.page === "signin" ? route.next : "#/";
  useEffect(() => {
    if (token) void session.signInFromAddress(token, next);
  }, [token, next]);

  if (state === "unknown" || token)
    return (
      <p class="sr-only" role="status">
        Signing in…
      </p>
    );
  if (!person) return <SignInPage session={session} />;
  return <SignedIn key={person.name} {...{ api, session, streams, person, route }} />;
}

function SignedIn({
  api,
  session,
  streams,
  person,
  route,
}: Parts & { person: Person; route: Route }) {
  const sessions = useMemo(() => new Sessions(api, person.name), [api, person.name]);
  useEffect(() => () => sessions.close(), [sessions]);
  useEffect(() => void streams.refresh(), [streams, route.page]);
  return (
    <>
      <a class="skip-link" href="#main" onClick={focusMain}>
        Skip to the page
      </a>
      <Header route={route} person={person} streams={streams} onSignOut={() => session.signOut()} />
      <main id="main" tabIndex={-1}>
        {route.page === "label" ? (
          <LabelPage
            key={route.stream}
            api={api}
            session={sessions.of(route.stream)}
            person={person}
          />
        ) : route.page === "operate" ? (
          <OperatePage key={route.stream} api={api} name={route.stream} person={person} />
        ) : (
          <StreamsPage api={api} streams={streams} person={person} />
        )}
      </main>
    </>
  );
}

/** The hash is the route, so the skip link moves the focus itself. */
function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
