/** The shapes of answers about how the service and a ledger stand, as `/openapi.json` describes them. */

export interface Verification {
  id: string;
  kind: "requested" | "command-line" | "nightly" | "tail";
  whole: boolean;
  state: "running" | "finished" | "interrupted";
  started_at: string;
  finished_at: string | null;
  progress: { stage: string; done: number; total: number };
  verdict: "intact" | "tampered" | "failed" | null;
  report: {
    from_position?: number;
    to_position?: number;
    tampering?: { text: string; position: number }[];
    left_out?: number;
    reason?: string | null;
  } | null;
}

export interface LedgerHealth {
  ledger: string;
  position: number;
  applied: number;
  set_aside: number;
  checkpoint: { size: number; signed_at: string } | null;
  quarantined: number;
  verification: Verification | null;
  whole_verification: Verification | null;
}

export interface Readiness {
  status: "ready" | "degraded" | "alarm" | "unavailable";
  database: string;
  ledger: string;
  checkpoints: string;
  verification: string;
  projectors: Record<string, { lag: number; stuck: boolean; set_aside: number }>;
}

export interface Quarantined {
  id: string;
  source: string;
  last_received_at: string;
  count: number;
  reason: { title: string; detail: string };
}
