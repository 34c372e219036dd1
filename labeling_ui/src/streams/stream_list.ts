import type { Engram } from "../api/engram";
import { wordsOf } from "../api/problem";
import type { Stream } from "../api/types";
import { Store } from "../store";

/** All streams this person may see; null until first read. */
export class StreamList extends Store {
  items: Stream[] | null = null;
  problem: string | null = null;

  constructor(private readonly api: Engram) {
    super();
  }

  async refresh(): Promise<void> {
    try {
      this.items = await this.api.streams();
      this.problem = null;
    } catch (error) {
      this.problem = wordsOf(error);
    }
    this.changed();
  }
}
