import { useQuery } from "@tanstack/react-query";
import { addressOf, follow } from "../address";
import { getJson } from "../api/client";
import type { AuditEvent, EventWithEvidence } from "../api/types";
import { StatusBadge } from "../explore/columns";
import { usePreferences } from "../preferences";
import { Card, ChangesTable, EntityLink, type Fact, Facts, PageLink, Value } from "../shell/parts";
import { Failed, Loading } from "../shell/states";
import { Proof } from "./Proof";
import { Raw } from "./Raw";
import { exactMoment, zone } from "../times";
import { phrase, title } from "../words";

export default function EventView({ eventId }: { eventId: string }) {
  const found = useQuery({
    queryKey: ["event", eventId],
    queryFn: ({ signal }) => getJson<EventWithEvidence>(`/v1/events/${encodeURIComponent(eventId)}`, undefined, signal),
    staleTime: Infinity,
  });
  if (found.isPending) return <Loading what="the event" />;
  if (found.isError) return <Failed error={found.error} retry={() => void found.refetch()} />;
  return <Shown evidence={found.data} />;
}

function Shown({ evidence }: { evidence: EventWithEvidence }) {
  const { event } = evidence;
  return (
    <article className="event">
      <header className="event-head">
        <StatusBadge status={event.status} />
        <h1>{event.description}</h1>
        {event.failure && (
          <p className="event-failure">
            {event.failure.reason} <code>{event.failure.code}</code>
          </p>
        )}
      </header>
      <div className="event-grid">
        <Card title="What happened">
          <Facts facts={whatOf(event)} />
        </Card>
        <Card title="Who">
          <Facts facts={whoOf(event)} />
        </Card>
        <Times event={event} />
        <Card title="Details">
          <Facts facts={Object.entries(event.details).map(([name, value]) => [phrase(name), <Value key={name} value={value} />])} />
        </Card>
        {event.changes && (
          <Card title="Changes">
            <ChangesTable changes={event.changes} />
          </Card>
        )}
        <Neighbours event={event} />
      </div>
      <Proof evidence={evidence} />
      <Raw evidence={evidence} />
    </article>
  );
}

function whatOf(event: AuditEvent): Fact[] {
  const facts: Fact[] = [
    ["Activity", <Filter key="a" name="activity" value={event.activity} words={phrase(event.activity)} />],
    ["Module", <Filter key="m" name="module" value={event.module} words={title(event.module)} />],
    ["Entity", <Filter key="e" name="entity" value={`${event.entity.type}:${event.entity.id}`} words={`${phrase(event.entity.type)} ${event.entity.name ?? event.entity.id}`} />],
  ];
  for (const other of event.also_affected ?? []) {
    facts.push(["Also affected", <Filter key={other.id} name="entity" value={`${other.type}:${other.id}`} words={`${phrase(other.type)} ${other.name ?? other.id}`} />]);
  }
  if (event.correlation_id) facts.push(["Story", <Filter key="c" name="correlation_id" value={event.correlation_id} words={event.correlation_id} />]);
  if (event.channel) facts.push(["Channel", event.channel]);
  return facts;
}

/** What belongs to the same entity, session or story. */
function Neighbours({ event }: { event: AuditEvent }) {
  const { entity, actor, correlation_id } = event;
  return (
    <Card title="Around it">
      <ul>
        <li>
          <EntityLink type={entity.type} id={entity.id} name={entity.name} /> through time
        </li>
        {actor.session_id && (
          <li>
            <PageLink to={["investigate"]} query={new URLSearchParams({ session: actor.session_id })}>
              Everything in the session {actor.session_id}
            </PageLink>
          </li>
        )}
        {correlation_id && (
          <li>
            <PageLink to={["investigate"]} query={new URLSearchParams({ correlation: correlation_id })}>
              The whole story {correlation_id}
            </PageLink>
          </li>
        )}
        <li>
          <PageLink to={["investigate"]} query={new URLSearchParams({ actor: actor.id })}>
            Everything by {actor.full_name ?? actor.id}
          </PageLink>
        </li>
      </ul>
    </Card>
  );
}

function whoOf(event: AuditEvent): Fact[] {
  const { actor } = event;
  const facts: Fact[] = [["User", <Filter key="u" name="user" value={actor.id} words={actor.full_name ?? actor.id} />], ["ID", <code key="i">{actor.id}</code>], ["Kind", title(actor.kind)]];
  const others: [string, string | undefined][] = [
    ["E-mail", actor.email],
    ["Roles", actor.roles?.join(", ")],
    ["User agent", actor.user_agent],
    ["Session", actor.session_id],
    ["Signed in by", actor.auth_method],
    ["On behalf of", actor.on_behalf_of],
  ];
  if (actor.ip) facts.push(["IP address", <Filter key="ip" name="ip" value={actor.ip} words={actor.ip} />]);
  for (const [name, value] of others) if (value) facts.push([name, value]);
  facts.push(["Reported by", <Filter key="s" name="source" value={event.source} words={event.source} />]);
  return facts;
}

function Times({ event }: { event: AuditEvent }) {
  const { clock } = usePreferences();
  return (
    <Card title={`When (${zone(clock)})`}>
      <Facts
        facts={[
          ["Occurred", exactMoment(event.occurred_at, clock)],
          ["Recorded", exactMoment(event.recorded_at, clock)],
          ["Position", event.position],
        ]}
      />
    </Card>
  );
}

/** A link to the events that share a value. */
function Filter({ name, value, words }: { name: string; value: string; words: string }) {
  return (
    <a href={addressOf("explore", [], new URLSearchParams({ [name]: value }))} onClick={follow}>
      {words}
    </a>
  );
}
