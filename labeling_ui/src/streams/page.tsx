import { useEffect, useState } from "preact/hooks";
import type { Engram } from "../api/engram";
import type { Stats } from "../api/monitoring_types";
import type { Person, Stream } from "../api/types";
import { Curl } from "../shell/curl";
import { useStore } from "../store";
import { StreamCard } from "./card";
import type { StreamList } from "./stream_list";

const REFRESH_MS = 10_000;

interface StreamsPageParts {
  api: Engram;
  streams: StreamList;
  person: Person;
}

export function StreamsPage({ api, streams, person }: StreamsPageParts) {
  const { items, problem } = useStore(streams);
  const stats = useStats(api, items);
  useEffect(() => {
    document.title = "Streams – Engram";
    const timer = setInterval(() => !document.hidden && void streams.refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [streams]);

  return (
    <div class="page">
      <h1 class="page-title">Streams</h1>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {items?.length === 0 && <NoStreams />}
      <ul class="stream-grid">
        {items?.map((stream) => (
          <StreamCard
            key={stream.name}
            stream={stream}
            stats={stats.get(stream.name)}
            role={person.role}
          />
        ))}
      </ul>
    </div>
  );
}

function useStats(api: Engram, items: Stream[] | null): ReadonlyMap<string, Stats> {
  const [stats, setStats] = useState<ReadonlyMap<string, Stats>>(new Map());
  useEffect(() => {
    for (const { name } of items ?? [])
      api.stats(name).then(
        (read) => setStats((known) => new Map(known).set(name, read)),
        () => {},
      );
  }, [api, items]);
  return stats;
}

function NoStreams() {
  const body = '{"name": "digits", "input": {"kind": "vector", "dim": 64}}';
  return (
    <section class="card welcome">
      <h2>No streams yet</h2>
      <p class="quiet">
        A stream is one classification task. Create the first one; its classes may come later, with
        the first answers.
      </p>
      <Curl method="POST" path="/v1/streams" body={body} />
    </section>
  );
}
