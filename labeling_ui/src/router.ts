import { useEffect, useState } from "preact/hooks";

export type Route =
  | { page: "streams" }
  | { page: "label"; stream: string }
  | { page: "operate"; stream: string }
  | { page: "signin"; token: string | null; next: string };

/** Reads the part of the address after "#". */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const [page, ...rest] = path.split("/").filter(Boolean);
  const stream = rest.length > 0 ? decoded(rest.join("/")) : "";
  if (page === "signin") {
    const asked = new URLSearchParams(search);
    return { page, token: asked.get("token"), next: pageOnly(asked.get("next") ?? "/") };
  }
  if ((page === "label" || page === "operate") && stream) return { page, stream };
  return { page: "streams" };
}

export function hrefOf(page: "label" | "operate", stream: string): string {
  return `#/${page}/${encodeURIComponent(stream)}`;
}

/** Replaces the address without a trace in the browser's history. */
export function replaceRoute(hash: string): void {
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return parseRoute(hash);
}

/** Where a sign-in link may lead: to a page of this place, never elsewhere. */
function pageOnly(next: string): string {
  return next.startsWith("/") ? `#${next}` : "#/";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
