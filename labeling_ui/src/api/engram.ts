import type { Client, RequestOptions } from "./client";
import type { Annotators, CostPoint, Metric, Stats, TimeSeries } from "./monitoring_types";
import type {
  Answered,
  Page,
  Person,
  Query,
  Retracted,
  SkipReason,
  Stream,
  StreamChange,
} from "./types";

/** What the pages ask of the service, one method per route. */
export class Engram {
  constructor(private readonly http: Client) {}

  signIn = (token: string) => this.http.request<Person>("POST", "/session", { token });
  whoAmI = () => this.http.request<Person>("GET", "/session");
  signOut = () => this.http.request<void>("DELETE", "/session");

  async streams(): Promise<Stream[]> {
    const all: Stream[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor ? `?cursor=${encodeURIComponent(cursor)}` : "";
      const page: Page<Stream> = await this.http.request("GET", `/streams${after}`);
      all.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return all;
  }

  stream = (name: string) => this.http.request<Stream>("GET", streamPath(name));
  change = (name: string, change: StreamChange) =>
    this.http.request<Stream>("PATCH", streamPath(name), change);
  annotators = (name: string) =>
    this.http.request<Annotators>("GET", `${streamPath(name)}/annotators`);
  stats = (name: string) => this.http.request<Stats>("GET", `${streamPath(name)}/stats`);

  timeSeries(name: string, metric: Metric, from: Date | null): Promise<TimeSeries> {
    const parameters = new URLSearchParams({ metric });
    if (from) parameters.set("from", from.toISOString());
    return this.http.request("GET", `${streamPath(name)}/timeseries?${parameters}`);
  }

  costCurve = (name: string) =>
    this.http.request<{ points: CostPoint[] }>("GET", `${streamPath(name)}/cost-curve`);

  eventsAddress = (name: string) => `${this.http.base}${streamPath(name)}/events`;

  async lease(
    name: string,
    limit: number,
    waitSeconds: number,
    signal?: AbortSignal,
  ): Promise<Query[]> {
    const body = { limit, wait_seconds: waitSeconds };
    const path = `${streamPath(name)}/queries:lease`;
    const options = signal ? { signal } : {};
    return (await this.http.request<{ queries: Query[] }>("POST", path, body, options)).queries;
  }

  answer = (id: string, token: string, label: string, ms: number, options: RequestOptions) =>
    this.http.request<Answered>(
      "POST",
      `${queryPath(id)}:answer`,
      { lease_token: token, label, duration_ms: ms },
      options,
    );

  skip = (id: string, token: string, reason: SkipReason, options: RequestOptions) =>
    this.http.request<void>(
      "POST",
      `${queryPath(id)}:skip`,
      { lease_token: token, reason },
      options,
    );

  release = (id: string, token: string) =>
    this.http.request<void>(
      "POST",
      `${queryPath(id)}:release`,
      { lease_token: token },
      { keepalive: true },
    );

  heartbeat = (id: string, token: string) =>
    this.http.request<{ expires_at: string }>("POST", `${queryPath(id)}:heartbeat`, {
      lease_token: token,
    });

  retractAnswer = (id: string) => this.http.request<Retracted>("POST", `${queryPath(id)}:retract`);

  retract = (labelId: string) =>
    this.http.request<Retracted>("DELETE", `/labels/${encodeURIComponent(labelId)}`);
}

const streamPath = (name: string) => `/streams/${encodeURIComponent(name)}`;
const queryPath = (id: string) => `/queries/${encodeURIComponent(id)}`;
