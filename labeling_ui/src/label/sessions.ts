import type { Engram } from "../api/engram";
import { AnswerStore } from "./answer_store";
import { realClock } from "./clock";
import { LabelSession } from "./session";

/** One person's sessions, one per stream; they outlive the page so that nothing on its way is lost. */
export class Sessions {
  private readonly byStream = new Map<string, LabelSession>();

  constructor(
    private readonly api: Engram,
    private readonly person: string,
  ) {
    addEventListener("online", this.nudge);
  }

  close(): void {
    removeEventListener("online", this.nudge);
    for (const session of this.byStream.values()) session.close();
    this.byStream.clear();
  }

  private readonly nudge = (): void => {
    for (const session of this.byStream.values()) session.outbox.nudge();
  };

  of(stream: string): LabelSession {
    const known = this.byStream.get(stream);
    if (known) return known;
    const store = new AnswerStore(localStorage, stream, this.person);
    const session = new LabelSession(this.api, stream, store, realClock, randomKey);
    this.byStream.set(stream, session);
    return session;
  }
}

/** Works without a secure context too, where crypto.randomUUID is missing. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
