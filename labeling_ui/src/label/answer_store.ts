/** Answers not yet acknowledged, kept in the browser so that a reload or a crash loses none. */
export interface KeptAnswer {
  idempotencyKey: string;
  by: string;
  queryId: string;
  leaseToken: string;
  label: string;
  durationMs: number;
}

type Storage = Pick<globalThis.Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">;

export class AnswerStore {
  private readonly prefix: string;

  constructor(
    private readonly storage: Storage,
    stream: string,
    private readonly by: string,
  ) {
    this.prefix = `engram.outbox.${stream}.`;
  }

  keep(answer: Omit<KeptAnswer, "by">): void {
    try {
      const text = JSON.stringify({ ...answer, by: this.by });
      this.storage.setItem(this.prefix + answer.idempotencyKey, text);
    } catch {
      // A full or forbidden storage only costs the safety net.
    }
  }

  forget(idempotencyKey: string): void {
    this.storage.removeItem(this.prefix + idempotencyKey);
  }

  /** This person's answers that an earlier page left behind. */
  left(): KeptAnswer[] {
    const found: KeptAnswer[] = [];
    for (let index = 0; index < this.storage.length; index++) {
      const key = this.storage.key(index);
      if (!key?.startsWith(this.prefix)) continue;
      const answer = parsed(this.storage.getItem(key));
      if (answer?.by === this.by) found.push(answer);
    }
    return found;
  }
}

function parsed(text: string | null): KeptAnswer | null {
  try {
    return text ? (JSON.parse(text) as KeptAnswer) : null;
  } catch {
    return null;
  }
}
