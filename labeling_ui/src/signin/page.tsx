import { useEffect, useState } from "preact/hooks";
import { Mark } from "../shell/mark";
import { useStore } from "../store";
import type { SessionStore } from "./session_store";

export function SignInPage({ session }: { session: SessionStore }) {
  const { message, busy } = useStore(session);
  const [token, setToken] = useState("");
  useEffect(() => void (document.title = "Sign in – Engram"), []);

  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim()) void session.signIn(token.trim());
  };

  return (
    <main class="signin">
      <form class="card signin-card" onSubmit={submit}>
        <div class="signin-brand">
          <Mark size={36} />
          <h1>Engram</h1>
        </div>
        <p class="quiet">It learns as you answer, and asks only what will teach it something.</p>
        <label class="field">
          <span>Access token</span>
          <input
            data-testid="signin-token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            aria-describedby="signin-help"
            aria-invalid={message ? true : undefined}
            autofocus
          />
        </label>
        <p class="problem" role="alert">
          {message}
        </p>
        <button class="button primary" data-testid="signin-submit" disabled={busy || !token.trim()}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
        <p class="fine" id="signin-help">
          No token? Ask whoever runs this service for one:{" "}
          <code>engram token create --role annotator</code>
        </p>
      </form>
    </main>
  );
}
