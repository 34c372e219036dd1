import { useEffect, useMemo } from "preact/hooks";
import type { Engram } from "../api/engram";
import { StreamWatch } from "../live/stream_watch";
import { useStore } from "../store";
import type { LabelSession } from "./session";

const WATCHED = { metrics: ["accuracy"], events: ["query", "label", "update", "stream"] } as const;

/** Follows the stream live and tells the session when there is something new to ask. */
export function useLabelWatch(api: Engram, session: LabelSession): StreamWatch {
  const watch = useMemo(() => new StreamWatch(api, session.stream, WATCHED), [api, session]);
  useEffect(() => {
    const { remaining, queue } = session;
    session.onNews = () => watch.refresh();
    watch.onStatsAsked = () => remaining.asked();
    watch.onStats = (stats) => remaining.read(stats.queries.open);
    watch.onEvent = (name) => {
      if (name !== "query") return;
      remaining.opened();
      queue.nudge();
    };
    watch.onGone = () => session.stop();
    watch.start();
    return () => watch.stop();
  }, [watch, session]);
  return useStore(watch);
}
