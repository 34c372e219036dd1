import type { Engram } from "../api/engram";
import { ApiError, wordsOf } from "../api/problem";
import type { Person } from "../api/types";
import { replaceRoute } from "../router";
import { Store } from "../store";

/** Who is signed in. */
export class SessionStore extends Store {
  state: "unknown" | "known" = "unknown";
  person: Person | null = null;
  message: string | null = null;
  busy = false;

  constructor(private readonly api: Engram) {
    super();
  }

  /** Asks the server whether this browser is still signed in. */
  async restore(): Promise<void> {
    try {
      this.person = await this.api.whoAmI();
    } catch (error) {
      // Somebody signed in while the question was on its way: the newer answer holds.
      if (this.person || this.busy) return;
      const expected = error instanceof ApiError && error.status === 401;
      this.message = expected ? null : wordsOf(error);
    }
    this.state = "known";
    this.changed();
  }

  async signIn(token: string): Promise<boolean> {
    this.busy = true;
    this.message = null;
    this.changed();
    try {
      this.person = await this.api.signIn(token);
    } catch (error) {
      const refused = error instanceof ApiError && error.status === 401;
      this.message = refused ? "This token is not valid, or it was revoked." : wordsOf(error);
    }
    this.busy = false;
    this.state = "known";
    this.changed();
    return this.message === null;
  }

  /** The token must not stay in the address bar or the history, whatever comes of it. */
  async signInFromAddress(token: string, next: string): Promise<void> {
    history.replaceState(null, "", "#/signin");
    const done = await this.signIn(token);
    if (!done) {
      // A link that no longer counts signs nobody out who is signed in.
      const refusal = this.message;
      await this.restore();
      this.message = refusal;
      this.changed();
    }
    replaceRoute(done ? next : "#/signin");
  }

  async signOut(): Promise<void> {
    this.person = null;
    this.message = null;
    this.changed();
    // The page gives its questions back while it closes; that needs the session still.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await this.api.signOut().catch(() => {});
  }

  /** The server stopped knowing us in the middle of something. */
  ended(): void {
    if (!this.person) return;
    this.person = null;
    this.message =
      "Your session has ended. Sign in again to go on: answers not yet sent are kept here, and count if their " +
      "questions are still yours then.";
    this.changed();
  }
}
