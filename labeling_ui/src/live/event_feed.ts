import type { EventName } from "../api/monitoring_types";

type Listener = (name: EventName, data: Record<string, unknown>) => void;

/** A stream's server-sent events; closed while the page is hidden, to spare connections. */
export class EventFeed {
  connected = false;
  private source: EventSource | null = null;

  constructor(
    private readonly address: string,
    private readonly names: readonly EventName[],
    private readonly heard: Listener,
    private readonly connectionChanged: () => void,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", this.followVisibility);
    this.followVisibility();
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.followVisibility);
    this.close();
  }

  private readonly followVisibility = (): void => {
    if (document.hidden) this.close();
    else if (!this.source) this.open();
  };

  private open(): void {
    const source = new EventSource(this.address);
    source.onopen = () => this.setConnected(true);
    source.onerror = () => this.setConnected(false);
    for (const name of this.names)
      source.addEventListener(name, (event) => this.heard(name, dataOf(event as MessageEvent)));
    this.source = source;
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    this.setConnected(false);
  }

  private setConnected(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    this.connectionChanged();
  }
}

function dataOf(event: MessageEvent): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(String(event.data));
    return data && typeof data === "object" ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
