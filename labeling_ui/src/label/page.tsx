import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";
import type { Engram } from "../api/engram";
import type { Person } from "../api/types";
import { classColours } from "../colours";
import { StreamGone } from "../shell/gone";
import { may } from "../signin/permissions";
import { useStore } from "../store";
import { announcement } from "./announcement";
import { Answers } from "./answers";
import { EmptyState, LookOnly, Paused } from "./empty_state";
import { KeyHelp } from "./key_help";
import { assignKeys, type KeyMap } from "./keys";
import { Progress } from "./progress";
import type { LabelSession } from "./session";
import { SidePanel } from "./side_panel";
import { Stage } from "./stage";
import { StatusLine } from "./status_line";
import { Toolbar } from "./toolbar";
import { useDesk } from "./use_desk";
import { useKeyboard } from "./use_keyboard";
import { useLabelWatch } from "./use_label_watch";
import { useSession } from "./use_session";

interface LabelPageParts {
  api: Engram;
  session: LabelSession;
  person: Person;
}

export function LabelPage({ api, session, person }: LabelPageParts) {
  const mayAnswer = may(person.role, "answer");
  const watch = useLabelWatch(api, session);
  useStore(session);
  useSession(session, mayAnswer);
  const { stream } = watch;
  const { held, current, dry, problem } = session.queue;

  const classes = useClasses(stream?.classes, session.addedClasses.join("\n"));
  const keys = useKeys(session, stream ? classes : null);
  const colours = useMemo(() => classColours(classes, stream?.colours), [classes, stream?.colours]);
  const desk = useDesk(session, stream, classes.length);
  useKeyboard(desk, keys, mayAnswer);

  const left = session.remaining.count(held.length, dry);
  useEffect(() => {
    document.title = `${left === null ? "" : `(${left}) `}${session.stream} – Engram`;
  }, [left, session.stream]);
  useLayoutEffect(() => session.shown(), [session, current]);

  if (watch.gone) return <StreamGone name={session.stream} />;
  if (watch.problem && !stream)
    return (
      <p class="page problem" role="alert">
        {watch.problem}
      </p>
    );
  return (
    <div class="desk">
      <h1 class="sr-only">Label {session.stream}</h1>
      <Progress left={left} answered={session.answered} session={session} />
      <p class="sr-only" aria-live="polite">
        {current ? announcement(current.query) : ""}
      </p>
      <section class="work" aria-label="Question">
        {!mayAnswer ? (
          <LookOnly role={person.role} left={left} />
        ) : session.paused ? (
          <Paused onContinue={() => session.start()} />
        ) : current ? (
          <Stage
            held={held}
            input={stream?.input ?? null}
            colours={colours}
            desk={desk}
            keys={keys}
          />
        ) : (
          <EmptyState dry={dry} answered={session.answered} problem={problem} />
        )}
        {mayAnswer && (
          <>
            <Answers {...{ classes, keys, colours, desk }} current={current} last={session.last} />
            <Toolbar desk={desk} keys={keys} canUndo={session.canUndo} idle={!current} />
            <StatusLine session={session} problem={problem} />
          </>
        )}
      </section>
      <SidePanel watch={watch} desk={desk} />
      {desk.panel === "help" && <KeyHelp keys={keys} desk={desk} />}
    </div>
  );
}

function useClasses(known: string[] | undefined, added: string): string[] {
  return useMemo(() => {
    const fresh = added ? added.split("\n") : [];
    return [...new Set([...(known ?? []), ...fresh])];
  }, [known, added]);
}

/** The keys of this session: what has one keeps it. Null stands for classes not known yet. */
function useKeys(session: LabelSession, classes: string[] | null): KeyMap {
  return useMemo(() => {
    if (classes) session.keys = assignKeys(classes, session.keys);
    return session.keys ?? assignKeys([]);
  }, [session, classes]);
}
