/** Calls of the public API, and its problems (RFC 9457) as errors. */

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: { parameter?: string; pointer?: string; detail: string }[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly places: readonly { name: string; detail: string }[] = [],
  ) {
    super(`${title}: ${detail}`);
  }
}

/** The service cannot be reached at all. */
export class Offline extends Error {}

/** Whether trying again may help. */
export function isPassing(error: unknown): boolean {
  return error instanceof Offline || (error instanceof ApiError && error.status === 503);
}

export async function getJson<T>(path: string, parameters?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const response = await call(path + query(parameters), signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  return (await call(path, signal ? { signal } : {})).text();
}

/** The answer while it arrives. */
export function getStream(path: string, parameters: URLSearchParams, signal: AbortSignal): Promise<Response> {
  return call(path + query(parameters), { signal });
}

export async function sendJson<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T | undefined> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await call(path, init);
  return response.status === 204 ? undefined : ((await response.json()) as T);
}

function query(parameters?: URLSearchParams): string {
  const text = parameters?.toString();
  return text ? `?${text}` : "";
}

async function call(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Offline("the service cannot be reached");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<ApiError> {
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json")) {
    const body = (await response.json()) as ProblemBody;
    const places = (body.errors ?? []).map((place) => ({
      name: place.parameter ?? place.pointer ?? "",
      detail: place.detail,
    }));
    return new ApiError(response.status, body.title, body.detail, places);
  }
  return new ApiError(response.status, `Status ${response.status}`, response.statusText);
}
