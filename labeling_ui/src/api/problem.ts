/** One thing that is wrong with what was sent: where (a JSON pointer) and why. */
export interface Fault {
  pointer: string;
  detail: string;
}

/** A refusal by the server, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly retryAfterSeconds: number | null = null,
    readonly faults: readonly Fault[] = [],
  ) {
    super(detail);
    this.name = "ApiError";
  }

  /** Whether what was asked for is no longer there, or no longer ours. */
  get gone(): boolean {
    return this.status === 404 || this.status === 410;
  }

  /** Whether the very same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function unreachable(): ApiError {
  return new ApiError(0, "The server cannot be reached.");
}

/** Reads an application/problem+json body, or makes the best of anything else. */
export async function problemFrom(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? NaN);
  const seconds = Number.isFinite(retryAfter) ? retryAfter : null;
  let detail = `The server answered ${response.status}.`;
  let faults: Fault[] = [];
  try {
    const body: unknown = await response.json();
    if (body && typeof body === "object") {
      const { detail: said, title, errors } = body as Record<string, unknown>;
      if (typeof said === "string" && said) detail = said;
      else if (typeof title === "string" && title) detail = title;
      if (Array.isArray(errors)) faults = errors.filter(isFault);
    }
  } catch {
    // The body was not JSON; the status says enough.
  }
  return new ApiError(response.status, detail, seconds, faults);
}

function isFault(found: unknown): found is Fault {
  const { pointer, detail } = (found ?? {}) as Record<string, unknown>;
  return typeof pointer === "string" && typeof detail === "string";
}

/** The words to show for anything that was thrown. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}
