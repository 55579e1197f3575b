import { useQuery } from "@tanstack/react-query";
import { getJson } from "../api/client";
import type { LedgerHealth, Quarantined, Readiness } from "../api/health";
import { usePreferences } from "../preferences";
import { Card, type Fact, Facts } from "../shell/parts";
import { useSession } from "../shell/session";
import { Failed, Loading } from "../shell/states";
import { ago, moment, zone } from "../times";
import { count, phrase } from "../words";
import { Verifications } from "./Verifications";

const EVERY = 5_000;

const STATUS_WORDS: Record<Readiness["status"], string> = {
  ready: "The service takes events, and everything that follows them is in order.",
  degraded: "The service takes events, but something that follows them is not in order: see below.",
  alarm: "A ledger of this service was found to be tampered with. Events are still taken; nothing is to be cleaned up before it is looked into.",
  unavailable: "Nothing can be recorded at the moment.",
};

/** How the ledger and the service stand, from what the public API tells; looked at again every few seconds. */
export default function HealthView() {
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => getJson<LedgerHealth>("/v1/health", undefined, signal),
    refetchInterval: EVERY,
  });
  const readiness = useQuery({
    queryKey: ["readiness"],
    queryFn: ({ signal }) => getJson<Readiness>("/readyz", undefined, signal),
    refetchInterval: EVERY,
    retry: false,
  });
  const status = readiness.isError ? "unavailable" : readiness.data?.status;
  return (
    <div className="page">
      <header className="page-head">
        <h1>Health</h1>
        <AsOf at={health.dataUpdatedAt} />
      </header>
      {status !== undefined && (
        <p className={`verdict verdict-${status === "ready" ? "good" : status === "degraded" ? "doubtful" : "bad"}`} role="status">
          {STATUS_WORDS[status]}
        </p>
      )}
      {health.isPending && <Loading what="how the ledger stands" />}
      {health.isError && health.data === undefined && <Failed error={health.error} retry={() => void health.refetch()} />}
      {health.data && (
        <div className="event-grid">
          <Ledger health={health.data} now={health.dataUpdatedAt} />
          <Verifications health={health.data} now={health.dataUpdatedAt} />
          {readiness.data && <Projectors readiness={readiness.data} />}
          <Quarantine waiting={health.data.quarantined} />
        </div>
      )}
    </div>
  );
}

function AsOf({ at }: { at: number }) {
  const { clock } = usePreferences();
  if (at === 0) return null;
  return (
    <span className="muted">
      as of {moment(new Date(at).toISOString(), clock)} {zone(clock)}
    </span>
  );
}

function Ledger({ health, now }: { health: LedgerHealth; now: number }) {
  const { clock } = usePreferences();
  const { position, checkpoint, applied, set_aside } = health;
  const facts: Fact[] = [
    ["Ledger", <code key="l">{health.ledger}</code>],
    ["Size", count(position, "event")],
    [
      "Last checkpoint",
      checkpoint === null
        ? "none is signed yet"
        : `${count(checkpoint.size, "event")}, signed ${moment(checkpoint.signed_at, clock)} ${zone(clock)} (${ago(checkpoint.signed_at, now)})`,
    ],
    ["Not in it yet", behindWords(position - (checkpoint?.size ?? 0))],
    ["Shown in queries", position <= applied ? "everything" : `all but the latest ${count(position - applied, "event")}`],
  ];
  if (set_aside > 0) facts.push(["Missing in queries", <strong key="m">{count(set_aside, "event")} that could not be understood</strong>]);
  return (
    <Card title="Ledger">
      <Facts facts={facts} />
    </Card>
  );
}

function behindWords(events: number): string {
  return events <= 0 ? "nothing" : count(events, "event");
}

function Projectors({ readiness }: { readiness: Readiness }) {
  return (
    <Card title="Read tables of the service">
      <table className="changes">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">Behind by</th>
            <th scope="col">Set aside</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(readiness.projectors).map(([name, { lag, stuck, set_aside }]) => (
            <tr key={name}>
              <th scope="row">{phrase(name)}</th>
              <td>{behindWords(lag)}</td>
              <td>{set_aside === 0 ? "nothing" : <strong>{count(set_aside, "event")}</strong>}</td>
              <td>
                <span className={`badge ${stuck ? "badge-failure" : "badge-success"}`}>{stuck ? "Stuck" : "Moving"}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="hint">
        Database {readiness.database}, appends {readiness.ledger}, checkpoints {readiness.checkpoints}.
      </p>
    </Card>
  );
}

/** How much waits, and for operators what: it is no event, but may hold as much. */
function Quarantine({ waiting }: { waiting: number }) {
  const { clock } = usePreferences();
  const isOperator = useSession().role === "operator";
  const found = useQuery({
    queryKey: ["quarantine", waiting],
    queryFn: ({ signal }) =>
      getJson<{ quarantine: Quarantined[] }>("/v1/quarantine", new URLSearchParams({ state: "waiting", limit: "10" }), signal),
    enabled: isOperator && waiting > 0,
  });
  return (
    <Card title="Quarantine">
      <p>{waiting === 0 ? "No refused command waits." : `${count(waiting, "refused command")} ${waiting === 1 ? "waits" : "wait"} for an operator.`}</p>
      {found.isError && <Failed error={found.error} />}
      <ul>
        {(found.data?.quarantine ?? []).map((one) => (
          <li key={one.id}>
            <strong>{one.reason.title}</strong>: {one.reason.detail}{" "}
            <span className="muted">
              {one.source}, {moment(one.last_received_at, clock)}
              {one.count > 1 && `, ${count(one.count, "time")}`}
            </span>
          </li>
        ))}
      </ul>
      {waiting > 0 && (
        <p className="hint">
          <code>certinext-audit quarantine</code> shows what was sent, and tries again.
        </p>
      )}
    </Card>
  );
}
