import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Label, TextArea, TextField } from "react-aria-components";
import { addressOf, go } from "../address";
import { getJson, sendJson } from "../api/client";
import type { Finding, FindingsPage } from "../api/estate";
import { withValues } from "../explore/filters";
import { usePreferences } from "../preferences";
import { EntityLink, More, PageLink, Value } from "../shell/parts";
import { Failed, Loading } from "../shell/states";
import { moment } from "../times";
import { count, phrase, title } from "../words";

const STATUSES = ["open", "acknowledged", "withdrawn"];
const SEVERITIES = ["critical", "high", "medium", "low"];

/** What does not add up, the newest first, each with the events that prove it. */
export default function FindingsView({ query }: { query: URLSearchParams }) {
  const found = useInfiniteQuery({
    queryKey: ["findings", query.toString()],
    queryFn: ({ pageParam, signal }) => getJson<FindingsPage>("/v1/findings", withValues(query, { cursor: pageParam }), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const findings = found.data?.pages.flatMap((page) => page.findings) ?? [];
  return (
    <div className="page">
      <header className="page-head">
        <h1>Findings</h1>
        <Choice name="status" values={STATUSES} query={query} />
        <Choice name="severity" values={SEVERITIES} query={query} />
      </header>
      {found.isPending && <Loading what="findings" />}
      {found.isError && <Failed error={found.error} retry={() => void found.refetch()} />}
      {found.data && findings.length === 0 && <p className="state">Nothing that the rules judge fails to add up.</p>}
      <ol className="findings">
        {findings.map((finding) => (
          <li key={finding.finding_id}>
            <Shown finding={finding} />
          </li>
        ))}
      </ol>
      <More hasMore={found.hasNextPage} isLoading={found.isFetchingNextPage} load={() => void found.fetchNextPage()} />
    </div>
  );
}

function Choice({ name, values, query }: { name: string; values: readonly string[]; query: URLSearchParams }) {
  return (
    <label>
      {title(name)}{" "}
      <select
        className="input"
        value={query.get(name) ?? ""}
        onChange={(event) => go(addressOf("findings", [], withValues(query, { [name]: event.target.value || null })))}
      >
        <option value="">Any</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {title(value)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Shown({ finding }: { finding: Finding }) {
  const { clock } = usePreferences();
  return (
    <article className="card finding">
      <header>
        <span className={`badge severity-${finding.severity}`}>{title(finding.severity)}</span>
        <h2>{finding.title}</h2>
        <span className="muted">{title(finding.status)}</span>
      </header>
      <p>{finding.words}</p>
      <p className="muted">
        <EntityLink type={finding.entity.type} id={finding.entity.id} name={finding.entity.name} />
        {" · "}
        {moment(finding.first_occurred_at, clock)}
        {finding.last_occurred_at !== finding.first_occurred_at && ` – ${moment(finding.last_occurred_at, clock)}`}
        {" · "}
        {finding.controls.join(", ")}
      </p>
      <details>
        <summary>{count(finding.evidence.length, "event")} as evidence</summary>
        <ul>
          {finding.evidence.map((one) => (
            <li key={one.position}>
              <PageLink to={["event", one.event_id]}>Event at position {one.position}</PageLink>
            </li>
          ))}
        </ul>
      </details>
      {finding.remark && (
        <dl className="facts">
          {Object.entries(finding.remark).map(([name, value]) => (
            <div key={name}>
              <dt>{phrase(name)}</dt>
              <dd>
                <Value value={value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {finding.status === "open" && <Acknowledge finding={finding} />}
    </article>
  );
}

/** What came of looking into it becomes an event of the trail itself. */
function Acknowledge({ finding }: { finding: Finding }) {
  const [comment, setComment] = useState("");
  const client = useQueryClient();
  const acknowledge = useMutation({
    mutationFn: () =>
      sendJson("POST", `/v1/findings/${encodeURIComponent(finding.finding_id)}/acknowledgements`, { comment }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["findings"] }),
  });
  if (acknowledge.isSuccess) return <p role="status">Acknowledged; your comment is recorded.</p>;
  return (
    <details>
      <summary>Acknowledge</summary>
      <form
        className="acknowledge"
        onSubmit={(event) => {
          event.preventDefault();
          acknowledge.mutate();
        }}
      >
        <TextField value={comment} onChange={setComment} isRequired>
          <Label>What came of looking into it</Label>
          <TextArea className="input" rows={3} />
        </TextField>
        {acknowledge.isError && <Failed error={acknowledge.error} />}
        <Button type="submit" className="button button-primary" isDisabled={comment.trim() === ""} isPending={acknowledge.isPending}>
          Record
        </Button>
      </form>
    </details>
  );
}
