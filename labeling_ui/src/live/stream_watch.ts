import type { Engram } from "../api/engram";
import type { CostPoint, EventName, Metric, Point, Stats } from "../api/monitoring_types";
import { ApiError, wordsOf } from "../api/problem";
import type { Stream } from "../api/types";
import { Store } from "../store";
import { EventFeed } from "./event_feed";
import { pollDelay } from "./poll_delay";
import { throttled } from "./throttle";

const GAP_MS = 1000;

export interface Watched {
  metrics: readonly Metric[];
  events: readonly EventName[];
  /** Whether accuracy against labels spent is wanted. */
  cost?: boolean;
  /** Whether a rebuild is to be followed while it goes on. */
  rebuild?: boolean;
}

/** One stream seen live: its settings, figures and time series, never more often than once a second. */
export class StreamWatch extends Store {
  stream: Stream | null = null;
  stats: Stats | null = null;
  problem: string | null = null;
  /** The stream is no longer there, or never was; nothing more is asked of it. */
  gone = false;
  costCurve: CostPoint[] | null = null;
  readonly series: Partial<Record<Metric, Point[]>> = {};
  /** Called with each event, and around each reading of the figures. */
  onEvent: (name: EventName, data: Record<string, unknown>) => void = () => {};
  onStatsAsked: () => void = () => {};
  onStats: (stats: Stats) => void = () => {};
  onGone: () => void = () => {};

  private readonly feed: EventFeed;
  /** Reads the figures soon: at once, or when a second has passed since the last reading. */
  readonly refresh = throttled(() => this.read(), GAP_MS);
  private poll: ReturnType<typeof setTimeout> | undefined;
  private spanSeconds: number | null = null;
  /** Whether the settings are to be read with the figures: not known yet, or changed since. */
  private settingsDue = true;

  constructor(
    private readonly api: Engram,
    readonly name: string,
    private readonly watched: Watched,
  ) {
    super();
    const address = api.eventsAddress(name);
    this.feed = new EventFeed(address, watched.events, this.heard, this.connectionChanged);
  }

  get connected(): boolean {
    return this.feed.connected;
  }

  start(): void {
    this.feed.start();
    this.refresh();
    this.schedule();
  }

  stop(): void {
    this.feed.stop();
    clearTimeout(this.poll);
    this.poll = undefined;
  }

  /** How far back the time series go; null for the stream's whole life. */
  showSpan(seconds: number | null): void {
    this.spanSeconds = seconds;
    this.refresh();
  }

  take(stream: Stream): void {
    this.stream = stream;
    this.changed();
  }

  private readonly heard = (name: EventName, data: Record<string, unknown>): void => {
    const label = data["label"];
    const unknown = typeof label === "string" && !this.stream?.classes.includes(label);
    if (name === "stream" || (name === "label" && unknown)) this.settingsDue = true;
    this.onEvent(name, data);
    this.refresh();
  };

  /** Whatever happened while nobody listened is in the figures and the settings. */
  private readonly connectionChanged = (): void => {
    this.settingsDue = true;
    if (this.feed.connected) this.refresh();
    this.changed();
  };

  private get rebuilding(): boolean {
    return Boolean(this.watched.rebuild && this.stats?.rebuild);
  }

  private schedule(): void {
    clearTimeout(this.poll);
    this.poll = setTimeout(
      () => {
        if (!this.connected) this.settingsDue = true;
        if (!document.hidden) this.refresh();
        this.schedule();
      },
      pollDelay(this.connected, this.rebuilding),
    );
  }

  private async read(): Promise<void> {
    if (this.gone) return;
    try {
      this.onStatsAsked();
      const [stats] = await Promise.all([
        this.api.stats(this.name),
        ...this.watched.metrics.map((metric) => this.readSeries(metric)),
        this.watched.cost ? this.readCost() : null,
        this.settingsDue ? this.readSettings() : null,
      ]);
      this.takeStats(stats);
      this.problem = null;
      this.onStats(stats);
    } catch (error) {
      this.problem = wordsOf(error);
      if (error instanceof ApiError && error.status === 404) this.end();
    }
    this.changed();
  }

  private end(): void {
    this.gone = true;
    this.stop();
    this.onGone();
  }

  private takeStats(stats: Stats): void {
    const before = this.rebuilding;
    this.stats = stats;
    const watching = this.poll !== undefined;
    if (watching && this.rebuilding !== before) this.schedule();
  }

  private async readSettings(): Promise<void> {
    // What changes while they are read is due again.
    this.settingsDue = false;
    try {
      this.take(await this.api.stream(this.name));
    } catch (error) {
      this.settingsDue = true;
      throw error;
    }
  }

  private async readCost(): Promise<void> {
    this.costCurve = (await this.api.costCurve(this.name)).points;
  }

  private async readSeries(metric: Metric): Promise<void> {
    const span = this.spanSeconds;
    const from = span === null ? null : new Date(Date.now() - span * 1000);
    const { points } = await this.api.timeSeries(this.name, metric, from);
    this.series[metric] = points;
  }
}
