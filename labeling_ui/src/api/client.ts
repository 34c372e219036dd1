import { problemFrom, unreachable } from "./problem";

export interface RequestOptions {
  signal?: AbortSignal;
  /** Let the request outlive the page: for what is sent while leaving. */
  keepalive?: boolean;
  idempotencyKey?: string;
}

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** JSON over HTTP to one server; every failure is an ApiError. */
export class Client {
  /** Called when the server no longer knows who we are. */
  onSignedOut: () => void = () => {};

  constructor(
    readonly base: string,
    private readonly fetch: Fetch,
  ) {}

  async request<T>(
    method: string,
    path: string,
    body?: unknown,
    options: RequestOptions = {},
  ): Promise<T> {
    const response = await this.send(method, path, body, options);
    if (response.ok) return (await bodyOf(response)) as T;
    const problem = await problemFrom(response);
    // Asking who is here may be answered by nobody: that ends no session.
    if (problem.status === 401 && path !== "/session") this.onSignedOut();
    throw problem;
  }

  private async send(
    method: string,
    path: string,
    body: unknown,
    options: RequestOptions,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (options.idempotencyKey) headers["Idempotency-Key"] = options.idempotencyKey;
    const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (options.signal) init.signal = options.signal;
    if (options.keepalive) init.keepalive = true;
    try {
      return await this.fetch(this.base + path, init);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw unreachable();
    }
  }
}

/** Some answers (204, or a bare 200) have no body to read. */
async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  return text ? JSON.parse(text) : undefined;
}
