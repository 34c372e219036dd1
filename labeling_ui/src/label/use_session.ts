import { useEffect } from "preact/hooks";
import { watchPresence } from "./presence";
import type { LabelSession } from "./session";

/** Runs the session while its page is open, and notices that somebody is there. */
export function useSession(session: LabelSession, mayAnswer: boolean): void {
  useEffect(() => {
    if (!mayAnswer) return;
    const leave = () => session.stop();
    const comeBack = (event: PageTransitionEvent) => event.persisted && session.start();
    const warn = (event: BeforeUnloadEvent) => {
      if (session.outbox.failing) event.preventDefault();
    };
    session.start();
    addEventListener("pagehide", leave);
    addEventListener("pageshow", comeBack);
    addEventListener("beforeunload", warn);
    const unwatch = watchPresence(window, () => session.touch());
    return () => {
      unwatch();
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", comeBack);
      removeEventListener("beforeunload", warn);
      session.stop();
    };
  }, [session, mayAnswer]);
}
