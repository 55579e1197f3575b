/** The shapes of answers, as `/openapi.json` describes them. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Status = "success" | "failure";
export type Role = "module" | "user" | "auditor" | "operator";

export const MODULES = [
  "user_activity",
  "certificate_operations",
  "certificate_authority",
  "key_automation",
  "administration",
] as const;
export type Module = (typeof MODULES)[number];

export interface Session {
  name: string;
  source: string;
  role: Role;
  ledger: string;
  actor_id: string | null;
  expires_at: string | null;
}

export interface Actor {
  id: string;
  full_name?: string;
  kind: "user" | "bot" | "service" | "anonymous";
  email?: string;
  roles?: string[];
  ip?: string;
  user_agent?: string;
  session_id?: string;
  auth_method?: string;
  on_behalf_of?: string;
}

export interface Entity {
  type: string;
  id: string;
  name?: string;
}

export interface Change {
  path: string;
  old?: Json;
  new?: Json;
}

export interface AuditEvent {
  event_id: string;
  ledger: string;
  position: number;
  recorded_at: string;
  occurred_at: string;
  type: string;
  schema_version: number;
  activity: string;
  module: Module;
  description: string;
  actor: Actor;
  entity: Entity;
  entity_version: number;
  status: Status;
  failure?: { code: string; reason: string };
  source: string;
  command_id: string;
  channel?: string;
  correlation_id?: string;
  causation_id?: string;
  also_affected?: Entity[];
  changes?: Change[];
  details: { [name: string]: Json };
}

export interface Freshness {
  position: number;
  set_aside: number;
}

export interface EventsPage extends Freshness {
  events: AuditEvent[];
  next: string | null;
}

export interface EventWithEvidence extends Freshness {
  event: AuditEvent;
  record: string;
  personal: string | null;
  leaf_hash: string;
  chain_hash: string;
}

export interface Histogram extends Freshness {
  begin: string | null;
  end: string | null;
  seconds: number;
  bars: { begin: string; success: number; failure: number }[];
}

export interface Suggestion {
  value: string;
  label: string | null;
}

export interface ModulesPage extends Freshness {
  modules: { module: Module; activity: string; events: number; failures: number }[];
}
