-- Verifications of ledgers: how far each is, and what came of it, so that any process can tell.

CREATE TABLE audit.verifications (
    ledger           text NOT NULL,
    id               uuid NOT NULL,
    kind             text NOT NULL,
    source           text NOT NULL,
    whole            boolean NOT NULL,
    started_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    stage            text NOT NULL,
    done             bigint NOT NULL,
    total            bigint NOT NULL,
    finished_at      timestamptz,
    verdict          text,
    report           json,
    -- Where the next one may go on, if nothing was wrong: the last event verified.
    end_position     bigint,
    end_chain_hash   bytea,
    end_recorded_at  timestamptz,
    CONSTRAINT verifications_id PRIMARY KEY (ledger, id)
);

-- Where the next tail begins, and whether the night's was made.
CREATE INDEX verifications_started ON audit.verifications (ledger, started_at);
CREATE INDEX verifications_kind ON audit.verifications (ledger, kind, started_at);
-- The alarm is asked for with every look at readiness.
CREATE INDEX verifications_tampered ON audit.verifications (ledger, started_at) WHERE verdict = 'tampered';

ALTER TABLE audit.verifications ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.verifications TO certinext_audit_writer
    USING (ledger = current_setting('certinext_audit.ledger', true));
CREATE POLICY all_ledgers ON audit.verifications FOR SELECT TO certinext_audit_projector USING (true);

GRANT SELECT, INSERT,
    UPDATE (
        started_at, updated_at, stage, done, total, finished_at, verdict, report,
        end_position, end_chain_hash, end_recorded_at
    )
    ON audit.verifications TO certinext_audit_writer;
-- Only to tell of alarms.
GRANT SELECT (ledger, whole, started_at, verdict) ON audit.verifications TO certinext_audit_projector;
