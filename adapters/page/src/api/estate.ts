/** The shapes of answers about entities, findings and investigations, as `/openapi.json` describes them. */

import type { Actor, AuditEvent, Entity, Freshness, Json, Status } from "./types";

export interface Relation {
  relation: string;
  type: string;
  id: string;
}

export interface ReplayedTo {
  position: number;
  chain_hash: string;
}

export interface EntityRow {
  id: string;
  name: string | null;
  state: string | null;
  attributes: Record<string, Json>;
  since: { position: number; time: string };
  relations: Relation[];
}

export interface EntitiesPage extends Freshness {
  type: string;
  as_of: Moment;
  entities: EntityRow[];
  next: string | null;
}

export interface Moment {
  at?: string;
  position?: number;
}

export interface EntityState {
  type: string;
  id: string;
  name: string | null;
  as_of: Moment;
  version: number;
  state: string | null;
  attributes: Record<string, Json>;
  told_at: Record<string, number>;
  unknown: string[];
  relations: Relation[];
  notes: string[];
  replayed_to: ReplayedTo;
}

export interface ValueChange {
  path: string;
  old?: Json;
  new?: Json;
}

export interface TimelineStep {
  position: number;
  event_id: string;
  activity: string;
  occurred_at: string;
  version: number;
  description: string;
  actor: Actor;
  status: Status;
  late: boolean;
  changes: ValueChange[];
  contradictions: { kind: string; words: string; position: number | null }[];
}

export interface Timeline {
  events: TimelineStep[];
  next: string | null;
  replayed_to: ReplayedTo;
}

export interface EntityDiff {
  changes: ValueChange[];
  replayed_to: ReplayedTo;
}

export type Severity = "low" | "medium" | "high" | "critical";
export type FindingStatus = "open" | "acknowledged" | "withdrawn";

export interface Finding {
  finding_id: string;
  rule: string;
  title: string;
  severity: Severity;
  status: FindingStatus;
  entity: Entity;
  actor_id: string | null;
  words: string;
  controls: string[];
  evidence: { position: number; event_id: string }[];
  first_occurred_at: string;
  last_occurred_at: string;
  remark: Record<string, Json> | null;
}

export interface FindingsPage extends Freshness {
  findings: Finding[];
  next: string | null;
}

export interface Touched extends Entity {
  events: number;
  failures: number;
  last_occurred_at: string;
}

export interface Investigation extends Freshness {
  clue: string;
  value: string;
  events: AuditEvent[];
  entities: Touched[];
  consequences: { because: string; event: AuditEvent }[];
  findings: Finding[];
  limits: string[];
  next: string | null;
}
