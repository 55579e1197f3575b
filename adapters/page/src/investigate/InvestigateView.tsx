import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Input, Label, TextField } from "react-aria-components";
import { addressOf, go } from "../address";
import { getJson } from "../api/client";
import type { Investigation } from "../api/estate";
import { StatusBadge } from "../explore/columns";
import { withValues } from "../explore/filters";
import { Shown } from "../findings/FindingsView";
import { usePreferences } from "../preferences";
import { Card, EntityLink, More, PageLink } from "../shell/parts";
import { Failed, Loading } from "../shell/states";
import { moment } from "../times";
import { count } from "../words";

const CLUES: readonly [string, string][] = [
  ["actor", "User ID"],
  ["session", "Session"],
  ["token", "Token"],
  ["ip", "IP address"],
  ["correlation", "Story (correlation ID)"],
];

/** From one clue to all that belongs to it. */
export default function InvestigateView({ query }: { query: URLSearchParams }) {
  const clue = CLUES.map(([name]) => name).find((name) => query.has(name));
  return (
    <div className="page">
      <header className="page-head">
        <h1>Investigate</h1>
        <Ask key={query.toString()} clue={clue ?? "actor"} value={clue ? (query.get(clue) ?? "") : ""} />
      </header>
      {clue === undefined ? (
        <p className="state">Begin with somebody, a session, a token, an address or a story.</p>
      ) : (
        <Found query={query} />
      )}
    </div>
  );
}

function Ask({ clue, value }: { clue: string; value: string }) {
  const [name, setName] = useState(clue);
  const [text, setText] = useState(value);
  return (
    <form
      className="as-of"
      onSubmit={(event) => {
        event.preventDefault();
        go(addressOf("investigate", [], new URLSearchParams({ [name]: text.trim() })));
      }}
    >
      <label>
        Clue
        <select className="input" value={name} onChange={(event) => setName(event.target.value)}>
          {CLUES.map(([one, words]) => (
            <option key={one} value={one}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <TextField value={text} onChange={setText} isRequired>
        <Label>Value</Label>
        <Input className="input" />
      </TextField>
      <Button type="submit" className="button button-primary" isDisabled={text.trim() === ""}>
        Investigate
      </Button>
    </form>
  );
}

function Found({ query }: { query: URLSearchParams }) {
  const { clock } = usePreferences();
  const found = useInfiniteQuery({
    queryKey: ["investigation", query.toString()],
    queryFn: ({ pageParam, signal }) =>
      getJson<Investigation>("/v1/investigations", withValues(query, { cursor: pageParam }), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  if (found.isPending) return <Loading what="all that belongs to it" />;
  if (found.isError) return <Failed error={found.error} retry={() => void found.refetch()} />;
  const pages = found.data.pages;
  const events = pages.flatMap((page) => page.events);
  const [first] = pages;
  return (
    <div className="investigation">
      <div className="investigation-part">
        <Card title={`${count(events.length, "event")}${found.hasNextPage ? " so far" : ""}`}>
          <ol className="timeline">
            {events.map((event) => (
              <li key={event.event_id}>
                <div className="timeline-head">
                  <time dateTime={event.occurred_at}>{moment(event.occurred_at, clock)}</time>
                  <StatusBadge status={event.status} />
                  <PageLink to={["event", event.event_id]}>{event.description}</PageLink>
                </div>
              </li>
            ))}
          </ol>
          <More hasMore={found.hasNextPage} isLoading={found.isFetchingNextPage} load={() => void found.fetchNextPage()} />
        </Card>
        {(first?.findings ?? []).map((finding) => (
          <Shown key={finding.finding_id} finding={finding} />
        ))}
      </div>
      <div className="investigation-part">
        <Card title="Entities touched">
          <ul>
            {(first?.entities ?? []).map((entity) => (
              <li key={`${entity.type}:${entity.id}`}>
                <EntityLink type={entity.type} id={entity.id} name={entity.name} />{" "}
                <span className="muted">
                  {count(entity.events, "event")}
                  {entity.failures > 0 && `, ${count(entity.failures, "failure")} among them`}
                </span>
              </li>
            ))}
          </ul>
        </Card>
        <Card title="What came of it">
          <ul>
            {pages.flatMap((page) => page.consequences).map(({ because, event }) => (
              <li key={event.event_id}>
                <PageLink to={["event", event.event_id]}>{event.description}</PageLink> <span className="muted">{because}</span>
              </li>
            ))}
          </ul>
        </Card>
        <Card title="What this does not tell">
          <ul>
            {(first?.limits ?? []).map((limit) => (
              <li key={limit}>{limit}</li>
            ))}
          </ul>
        </Card>
      </div>
    </div>
  );
}
