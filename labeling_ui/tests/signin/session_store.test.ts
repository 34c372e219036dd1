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
