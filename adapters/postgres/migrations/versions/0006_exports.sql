-- Exports under way. The process that makes one gives a sign of life; once it has died, another one records that the
-- export was interrupted. A row goes when its export has come to its end in the ledger, whichever that is.

CREATE TABLE audit.exports (
    ledger     text NOT NULL,
    id         uuid NOT NULL,
    -- Who asked, as the event about it will say.
    source     text NOT NULL,
    name       text NOT NULL,
    role       text NOT NULL,
    actor_id   text,
    ip         text,
    user_agent text,
    -- The details of that event, but for the rows.
    details    json NOT NULL,
    rows       bigint NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT exports_id PRIMARY KEY (ledger, id)
);

ALTER TABLE audit.exports ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.exports TO certinext_audit_writer
    USING (ledger = current_setting('certinext_audit.ledger', true));
CREATE POLICY all_ledgers ON audit.exports FOR SELECT TO certinext_audit_projector USING (true);

GRANT SELECT, INSERT, DELETE, UPDATE (rows, seen_at) ON audit.exports TO certinext_audit_writer;
-- Only to find those of which there is no sign of life.
GRANT SELECT (ledger, id, seen_at) ON audit.exports TO certinext_audit_projector;
