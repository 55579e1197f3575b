-- The quarantine: what modules sent and nobody could understand, as it came. It may hold personal data.

CREATE TABLE audit.quarantine (
    ledger           text NOT NULL,
    id               uuid NOT NULL,
    source           text NOT NULL,
    sha256           bytea NOT NULL,
    body             bytea NOT NULL,
    size             bigint,
    truncated        boolean NOT NULL,
    kind             text NOT NULL,
    reason           json NOT NULL,
    received_at      timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    count            bigint NOT NULL,
    retried_at       timestamptz,
    position         bigint,
    CONSTRAINT quarantine_id PRIMARY KEY (ledger, id),
    CONSTRAINT quarantine_once UNIQUE (ledger, source, sha256)
);

-- What waits is listed, retried and counted much more often than the rest.
CREATE INDEX quarantine_waiting ON audit.quarantine (ledger, id) WHERE retried_at IS NULL;

ALTER TABLE audit.quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.quarantine TO certinext_audit_writer
    USING (ledger = current_setting('certinext_audit.ledger', true));
CREATE POLICY all_ledgers ON audit.quarantine FOR SELECT TO certinext_audit_projector USING (true);

GRANT SELECT, INSERT, UPDATE (count, last_received_at, retried_at, position) ON audit.quarantine
    TO certinext_audit_writer;
-- Only to count what waits.
GRANT SELECT (retried_at) ON audit.quarantine TO certinext_audit_projector;
