import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Input, Label, TextField } from "react-aria-components";
import { addressOf, go } from "../address";
import { getJson } from "../api/client";
import type { EntitiesPage, EntityRow } from "../api/estate";
import { withValues } from "../explore/filters";
import { usePreferences } from "../preferences";
import { EntityLink, More, PageLink, momentOf } from "../shell/parts";
import { Failed, Loading } from "../shell/states";
import { fromInput, moment, toInput, zone } from "../times";
import { phrase, title } from "../words";
import { told } from "./relations";

const TYPES = [
  "certificate",
  "certificate_authority",
  "key",
  "key_store",
  "domain",
  "token",
  "bot",
  "user",
  "role",
  "group",
  "workflow",
  "policy",
  "setting",
  "connector",
];

const MOST_RELATIONS = 4;

interface Props {
  type: string;
  query: URLSearchParams;
}

/** Everything of a type as it was at a moment. */
export default function EstateView({ type, query }: Props) {
  const { clock } = usePreferences();
  const asked = withValues(query, { limit: "100" });
  const found = useInfiniteQuery({
    queryKey: ["estate", type, query.toString()],
    queryFn: ({ pageParam, signal }) =>
      getJson<EntitiesPage>(`/v1/entities/${encodeURIComponent(type)}`, withValues(asked, { cursor: pageParam }), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const rows = found.data?.pages.flatMap((page) => page.entities) ?? [];
  const at = query.get("at");
  return (
    <div className="page">
      <header className="page-head">
        <h1>The estate{at === null ? " now" : ` on ${moment(at, clock)} ${zone(clock)}`}</h1>
        <AsOf key={at} query={query} change={(values) => go(addressOf("estate", [type], withValues(query, values)))} />
      </header>
      <nav className="types" aria-label="Types of entities">
        {TYPES.map((one) => (
          <PageLink key={one} to={["estate", one]} {...(at ? { query: new URLSearchParams({ at }) } : {})}>
            {one === type ? <strong>{phrase(one)}</strong> : phrase(one)}
          </PageLink>
        ))}
      </nav>
      {found.isPending && <Loading what="the estate" />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.data && rows.length === 0 && <p className="state">Nothing of this kind was known then.</p>}
      {rows.length > 0 && <Rows type={type} rows={rows} asOf={momentOf(query)} />}
      <More hasMore={found.hasNextPage} isLoading={found.isFetchingNextPage} load={() => void found.fetchNextPage()} />
    </div>
  );
}

function AsOf({ query, change }: { query: URLSearchParams; change: (values: Record<string, string | null>) => void }) {
  const { clock } = usePreferences();
  const at = query.get("at");
  const [text, setText] = useState(at === null ? "" : toInput(at, clock));
  const [state, setState] = useState(query.get("state") ?? "");
  return (
    <form
      className="as-of"
      onSubmit={(event) => {
        event.preventDefault();
        change({ at: text ? fromInput(text, clock) : null, state: state || null });
      }}
    >
      <TextField value={text} onChange={setText}>
        <Label>As of ({zone(clock)})</Label>
        <Input className="input" type="datetime-local" step="1" />
      </TextField>
      <TextField value={state} onChange={setState}>
        <Label>State</Label>
        <Input className="input" placeholder="any, or valid, revoked …" />
      </TextField>
      <Button type="submit" className="button button-primary">
        Show
      </Button>
    </form>
  );
}

function Rows({ type, rows, asOf }: { type: string; rows: readonly EntityRow[]; asOf: URLSearchParams }) {
  const { clock } = usePreferences();
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label="Entities">
      <table className="plain stacked">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">Related</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row">
                <EntityLink type={type} id={row.id} name={row.name} moment={asOf} isOfKnownType />
              </th>
              <td>{row.state === null ? <span className="muted">unknown</span> : title(row.state)}</td>
              <td className="moment">{moment(row.since.time, clock)}</td>
              <td>
                {told(row.relations)
                  .slice(0, MOST_RELATIONS)
                  .map(([relation, others]) => (
                    <span key={relation} className="relation">
                      {phrase(relation)}:{" "}
                      {others.slice(0, MOST_RELATIONS).map((other) => (
                        <span key={`${other.type} ${other.id}`} className="related">
                          <EntityLink type={other.type} id={other.id} moment={asOf} />
                        </span>
                      ))}
                      {others.length > MOST_RELATIONS && <span className="muted"> and {others.length - MOST_RELATIONS} more</span>}
                    </span>
                  ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
