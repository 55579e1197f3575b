/** What a view shows while there is nothing else to show: each case says what to do. */

import { useEffect } from "react";
import { Button } from "react-aria-components";
import { ApiError, Offline } from "../api/client";

const AGAIN_AFTER = 10_000;

export function Loading({ what }: { what: string }) {
  return (
    <div className="state" role="status">
      <span className="spinner" aria-hidden="true" />
      Loading {what} …
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const [heading, words] = wordsOf(error);
  const places = error instanceof ApiError ? error.places : [];
  useEffect(() => {
    if (!(error instanceof Offline) || retry === undefined) return;
    const timer = setInterval(retry, AGAIN_AFTER);
    return () => clearInterval(timer);
  }, [error, retry]);
  return (
    <div className="state state-failed" role="alert">
      <h2>{heading}</h2>
      {places.length === 0 ? (
        words !== heading && <p>{words}</p>
      ) : (
        <ul>
          {places.map((place) => (
            <li key={place.name}>
              <code>{place.name}</code> {place.detail}
            </li>
          ))}
        </ul>
      )}
      {retry && (
        <Button className="button" onPress={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function wordsOf(error: unknown): [string, string] {
  if (error instanceof Offline) {
    return ["The service cannot be reached", "What is shown may be old. The page tries again by itself."];
  }
  if (error instanceof ApiError) return [error.title, error.detail];
  return ["Something went wrong in this page", error instanceof Error ? error.message : String(error)];
}
