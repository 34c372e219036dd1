import { useEffect, useMemo, useState } from "preact/hooks";
import type { Engram } from "../api/engram";
import type { Alarm } from "../api/monitoring_types";
import type { Person } from "../api/types";
import { StreamWatch } from "../live/stream_watch";
import { StreamGone } from "../shell/gone";
import { may } from "../signin/permissions";
import { useStore } from "../store";
import { AnnotatorTable } from "./annotators";
import { ClassAccuracies } from "./class_accuracy";
import { ClassCounts } from "./class_counts";
import { DriftAlarms } from "./drift";
import { EmptyStream } from "./empty_stream";
import { Headline } from "./headline";
import { Health } from "./health";
import { Plots } from "./plots";
import { RANGES, type Range, RangePicker } from "./range";
import { Settings } from "./settings";
import { learningVerdict } from "./verdict";

const WATCHED = {
  metrics: ["accuracy", "query_rate", "predictive_entropy"],
  events: ["prediction", "query", "label", "update", "snapshot", "drift", "stream"],
  cost: true,
  rebuild: true,
} as const;

const NO_ALARMS: readonly Alarm[] = [];

interface OperatePageParts {
  api: Engram;
  name: string;
  person: Person;
}

export function OperatePage({ api, name, person }: OperatePageParts) {
  const watch = useMemo(() => new StreamWatch(api, name, WATCHED), [api, name]);
  const [range, setRange] = useState<Range>(RANGES[0]!);
  const { stream, stats, problem } = useStore(watch);
  useEffect(() => {
    document.title = `${name} – Operate – Engram`;
    watch.start();
    return () => watch.stop();
  }, [watch, name]);

  const choose = (chosen: Range) => {
    setRange(chosen);
    watch.showSpan(chosen.seconds);
  };

  if (watch.gone) return <StreamGone name={name} />;
  return (
    <div class="page operate" data-testid="operator-page">
      <header class="operate-head">
        <h1 class="page-title">{name}</h1>
        <Live connected={watch.connected} problem={problem} />
        <RangePicker chosen={range} onChoose={choose} />
      </header>
      {stats && <Verdict {...learningVerdict(stats)} />}
      {stats?.samples === 0 && stream && <EmptyStream stream={stream} />}
      {stats && <Headline stats={stats} />}
      <Plots
        series={watch.series}
        cost={watch.costCurve}
        alarms={stats?.drift ?? NO_ALARMS}
        budget={stats?.query_rate.budget ?? stream?.query.budget ?? null}
      />
      {stats && (
        <div class="operate-pair">
          <ClassAccuracies classes={stats.accuracy.classes} />
          <DriftAlarms alarms={stats.drift} />
        </div>
      )}
      {stats && (
        <div class="operate-pair">
          <Health health={stats.health} rebuild={stats.rebuild} />
          <ClassCounts counts={stats.health.classes} stream={stream} />
        </div>
      )}
      {stats && may(person.role, "review") && (
        <AnnotatorTable api={api} name={name} labels={stats.labels} />
      )}
      {stream && (
        <Settings
          key={stream.name}
          api={api}
          stream={stream}
          role={person.role}
          onChanged={(changed) => watch.take(changed)}
        />
      )}
    </div>
  );
}

function Verdict({ tone, words, cost }: ReturnType<typeof learningVerdict>) {
  return (
    <p class={`verdict ${tone}`} role="status">
      <strong>{words}</strong> <span>{cost}</span>
    </p>
  );
}

function Live({ connected, problem }: { connected: boolean; problem: string | null }) {
  if (problem)
    return (
      <span class="live bad" role="alert">
        {problem}
      </span>
    );
  return (
    <span
      class={connected ? "live on" : "live"}
      title={connected ? "Updated as events arrive" : "Updated every few seconds"}
    >
      {connected ? "Live" : "Polling"}
    </span>
  );
}
