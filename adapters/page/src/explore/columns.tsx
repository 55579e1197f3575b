/** The columns of the table of events, each once. */

import type { ReactNode } from "react";
import { addressOf, follow } from "../address";
import type { AuditEvent } from "../api/types";
import type { Clock } from "../preferences";
import { moment } from "../times";
import { phrase, title } from "../words";

export interface Column {
  name: string;
  title: string;
  /** A track of a CSS grid. */
  width: string;
  cell: (event: AuditEvent, clock: Clock) => ReactNode;
}

export const COLUMNS: readonly Column[] = [
  { name: "time", title: "Time", width: "11rem", cell: (event, clock) => <time dateTime={event.occurred_at}>{moment(event.occurred_at, clock)}</time> },
  { name: "status", title: "Status", width: "7.4rem", cell: (event) => <StatusBadge status={event.status} /> },
  { name: "user", title: "User", width: "minmax(8rem, 1fr)", cell: (event) => event.actor.full_name ?? event.actor.id },
  { name: "activity", title: "Activity", width: "minmax(9rem, 1.2fr)", cell: (event) => phrase(event.activity) },
  { name: "description", title: "Description", width: "minmax(14rem, 3fr)", cell: linked },
  { name: "entity", title: "Entity", width: "minmax(9rem, 1.2fr)", cell: (event) => event.entity.name ?? event.entity.id },
  { name: "module", title: "Module", width: "minmax(9rem, 1fr)", cell: (event) => title(event.module) },
  { name: "ip", title: "IP address", width: "9rem", cell: (event) => event.actor.ip ?? "" },
  { name: "channel", title: "Channel", width: "6rem", cell: (event) => event.channel ?? "" },
  { name: "source", title: "Source", width: "minmax(9rem, 1fr)", cell: (event) => event.source },
  { name: "correlation_id", title: "Correlation", width: "minmax(8rem, 1fr)", cell: (event) => event.correlation_id ?? "" },
  { name: "recorded", title: "Recorded", width: "11rem", cell: (event, clock) => moment(event.recorded_at, clock) },
  { name: "position", title: "Position", width: "6rem", cell: (event) => event.position },
];

const SHOWN_FIRST = ["time", "status", "user", "activity", "description", "entity"];

const SHOWN_ON_NARROW = ["time", "description"];

/** The columns that an address names, in the order of the table; without any those that the screen has room for. */
export function columnsOf(query: URLSearchParams, isNarrow = false): readonly Column[] {
  const named = query.get("columns")?.split(",") ?? (isNarrow ? SHOWN_ON_NARROW : SHOWN_FIRST);
  const chosen = COLUMNS.filter((column) => named.includes(column.name) || column.name === "description");
  return chosen;
}

export function StatusBadge({ status }: { status: AuditEvent["status"] }) {
  return (
    <span className={`badge badge-${status}`}>
      <span aria-hidden="true">{status === "success" ? "✓" : "✕"}</span> {title(status)}
    </span>
  );
}

function linked(event: AuditEvent): ReactNode {
  return (
    <a href={addressOf("event", [event.event_id])} onClick={follow} tabIndex={-1}>
      {event.description}
    </a>
  );
}
