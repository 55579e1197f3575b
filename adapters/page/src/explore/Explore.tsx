import { Suspense, lazy, useState } from "react";
import { Button } from "react-aria-components";
import { addressOf, go } from "../address";
import { ApiError } from "../api/client";
import { LiveBar } from "../live/LiveBar";
import { useNarrow } from "../shell/narrow";
import { Failed, Loading } from "../shell/states";
import { ColumnChoice } from "./ColumnChoice";
import { columnsOf } from "./columns";
import { CountsAwaited } from "./CountsFrame";
import { EventTable } from "./EventTable";
import { JumpTo, JumpedBar } from "./JumpTo";
import { SearchBox } from "./SearchBox";
import { TimeRange } from "./TimeRange";
import { apiQuery, listQuery, termsOf, withTerm, withValues, withoutTerm } from "./filters";
import { useFoundEvents } from "./useFoundEvents";

// The rows come first: what is drawn above them is loaded, and counted, once they are there.
const Histogram = lazy(() => import("./Histogram"));
const ExportDialog = lazy(() => import("../export/ExportDialog"));

interface Props {
  query: URLSearchParams;
}

/** Finding events: filters, how many there were over time, and the events themselves, newest first. */
export function Explore({ query }: Props) {
  const found = useFoundEvents(listQuery(query));
  const [follows, setFollows] = useState(false);
  const [exports, setExports] = useState(false);
  const change = (changed: URLSearchParams): void => go(addressOf("explore", [], changed));
  const isNarrow = useNarrow();
  const at = query.get("at");
  const isEmpty = !found.isPending && !found.error && found.events.length === 0;
  const jump = (moment: string | null): void => change(withValues(query, { at: moment }));
  return (
    <div className="explore">
      <h1 className="visually-hidden">Explore events</h1>
      <div className="toolbar">
        <SearchBox
          query={query}
          add={(term) => change(withTerm(query, term))}
          remove={(term) => change(withoutTerm(query, term))}
        />
        <TimeRange query={query} change={change} />
        <JumpTo at={at} jump={jump} />
        <ColumnChoice query={query} change={change} />
        <Button className="button export-button" onPress={() => setExports(true)}>
          Export
        </Button>
      </div>
      {exports && (
        <Suspense>
          <ExportDialog filters={apiQuery(query)} close={() => setExports(false)} />
        </Suspense>
      )}
      {!isEmpty && (
        <Suspense fallback={<CountsAwaited />}>
          <Histogram query={query} change={change} isDue={!found.isPending} />
        </Suspense>
      )}
      {found.missing > 0 && (
        <p className="warning">{found.missing} events could not be read into this table and are missing here.</p>
      )}
      {at !== null && <JumpedBar at={at} jump={jump} />}
      {found.feed && (
        <LiveBar feed={found.feed} follows={follows} setFollows={setFollows} show={found.show} refresh={found.refresh} />
      )}
      {found.isPending && <Loading what="events" />}
      {found.error && found.events.length === 0 && <NotFound error={found.error} query={query} retry={found.refresh} />}
      {isEmpty && <Nothing query={query} change={change} />}
      {found.events.length > 0 && <EventTable columns={columnsOf(query, isNarrow)} isCompact={isNarrow && !query.has("columns")} {...found} />}
    </div>
  );
}

const COLUMN = /^column (\d+): (.*)$/s;

/** What the service says of the question; of a search, below the place where it is not understood. */
function NotFound({ error, query, retry }: { error: Error; query: URLSearchParams; retry: () => void }) {
  const place = error instanceof ApiError ? error.places.find(({ name }) => name === "q") : undefined;
  const [, column, words] = COLUMN.exec(place?.detail ?? "") ?? [];
  if (column === undefined) return <Failed error={error} retry={retry} />;
  return (
    <div className="state state-failed" role="alert">
      <h2>The search is not understood</h2>
      <pre className="search-error">{`${query.get("q") ?? ""}\n${" ".repeat(Number(column) - 1)}^`}</pre>
      <p>
        At column {column}: {words}
      </p>
    </div>
  );
}

function Nothing({ query, change }: { query: URLSearchParams; change: (query: URLSearchParams) => void }) {
  const narrowed = termsOf(query).length > 0 || ["from", "to", "at"].some((name) => query.has(name));
  return (
    <div className="state">
      <h2>{narrowed ? "No event matches" : "Nothing is recorded yet"}</h2>
      <p>{narrowed ? "Take a filter away, or widen the time." : "Events appear here as soon as a module reports them."}</p>
      {narrowed && (
        <Button className="button" onPress={() => change(new URLSearchParams())}>
          Clear all filters
        </Button>
      )}
    </div>
  );
}
