import { expect, test } from "vitest";
import { Client } from "../../src/api/client";
import { Engram } from "../../src/api/engram";
import { SessionStore } from "../../src/signin/session_store";

test("a late 'nobody is here' does not sign out who signed in meanwhile", async () => {
  let answerWho: (response: Response) => void = () => {};
  const client = new Client("/v1", (_path, init) =>
    init.method === "GET"
      ? new Promise((resolve) => (answerWho = resolve))
      : Promise.resolve(new Response('{"name":"ann","role":"annotator"}')),
  );
  const session = new SessionStore(new Engram(client));
  client.onSignedOut = () => session.ended();
  const restored = session.restore();
  await session.signIn("token");
  answerWho(new Response('{"status":401,"detail":"nobody"}', { status: 401 }));
  await restored;
  expect(session.person?.name).toBe("ann");
  expect(session.message).toBeNull();
});

/** A browser whose address bar is written to, and who is signed in as ann or not. */
function browser(signedIn: boolean): SessionStore {
  const address = { replaceState: () => {} };
  Object.assign(globalThis, { history: address, dispatchEvent: () => true });
  Object.assign(globalThis, { HashChangeEvent: class extends Event {} });
  const client = new Client("/v1", (_path, init) =>
    Promise.resolve(
      init.method === "GET" && signedIn
        ? new Response('{"name":"ann","role":"annotator"}')
        : new Response('{"status":401,"detail":"nobody"}', { status: 401 }),
    ),
  );
  const session = new SessionStore(new Engram(client));
  client.onSignedOut = () => session.ended();
  return session;
}

test("a link that no longer counts signs nobody out", async () => {
  const session = browser(true);
  await session.signInFromAddress("revoked", "#/");
  expect(session.person?.name).toBe("ann");
});

test("a link that no longer counts says so to whoever is not signed in", async () => {
  const session = browser(false);
  await session.signInFromAddress("revoked", "#/");
  expect(session.person).toBeNull();
  expect(session.message).toBe("This token is not valid, or it was revoked.");
});
