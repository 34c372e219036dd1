import { expect, test } from "vitest";
import { Client } from "../../src/api/client";
import { ApiError } from "../../src/api/problem";

function clientAnswering(answer: () => Response) {
  const sent: { path: string; init: RequestInit }[] = [];
  const client = new Client("/v1", async (path, init) => {
    sent.push({ path, init });
    return answer();
  });
  return { client, sent };
}

test("a request is JSON, to the same origin, with its idempotency key", async () => {
  const { client, sent } = clientAnswering(() => Response.json({ seq: 1 }));
  expect(await client.request("POST", "/x", { a: 1 }, { idempotencyKey: "k" })).toEqual({ seq: 1 });
  const { path, init } = sent[0]!;
  expect([path, init.body, init.credentials]).toEqual(["/v1/x", '{"a":1}', "same-origin"]);
  expect(init.headers).toMatchObject({ "Idempotency-Key": "k" });
});

test("an answer without a body is fine", async () => {
  const { client } = clientAnswering(() => new Response(null, { status: 204 }));
  expect(await client.request("DELETE", "/session")).toBeUndefined();
});

test("a refusal speaks with the server's own detail", async () => {
  const problem = { title: "Gone", status: 410, detail: "The lease is lost." };
  const { client } = clientAnswering(() => Response.json(problem, { status: 410 }));
  const refusal = await client.request("POST", "/x").catch((error: unknown) => error);
  expect(refusal).toMatchObject({ status: 410, detail: "The lease is lost.", passing: false });
});

test("a refused body tells what is wrong with it, and where", async () => {
  const fault = { pointer: "/query/budget", detail: "input should be a number" };
  const problem = { detail: "…", errors: [fault, { pointer: 1 }, null] };
  const { client } = clientAnswering(() => Response.json(problem, { status: 422 }));
  const refusal = await client.request("PATCH", "/x", {}).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ status: 422, faults: [fault] });
});

test("no network, too many requests and server failures may pass", async () => {
  const { client } = clientAnswering(() => {
    throw new TypeError("offline");
  });
  const offline = await client.request("GET", "/x").catch((error: unknown) => error);
  expect(offline).toMatchObject({ status: 0, passing: true });
  expect([429, 503].map((status) => new ApiError(status, "").passing)).toEqual([true, true]);
});

test("a forgotten session is told", async () => {
  const { client } = clientAnswering(() => new Response("", { status: 401 }));
  let told = false;
  client.onSignedOut = () => (told = true);
  await client.request("GET", "/streams").catch(() => {});
  expect(told).toBe(true);
});
