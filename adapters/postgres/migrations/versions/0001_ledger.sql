-- The ledger: events and heads, credentials, and the roles that may touch them.

CREATE SCHEMA audit;

-- The end of each ledger. Locking its row is what puts appends in order.
CREATE TABLE audit.heads (
    ledger      text PRIMARY KEY,
    position    bigint NOT NULL,
    chain_hash  bytea NOT NULL,
    recorded_at timestamptz
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- One row per event. Every column is covered by the record's hash, or is a hash. The ledger is the one that the
-- transaction is bound to: the writer may set every column but this. Row-level security would do the same, but
-- PostgreSQL refuses COPY into a table that has it.
CREATE TABLE audit.events (
    ledger             text NOT NULL DEFAULT nullif(current_setting('certinext_audit.ledger', true), ''),
    position           bigint NOT NULL,
    command_id         text NOT NULL,
    originator_id      text NOT NULL,
    originator_version bigint NOT NULL,
    topic              text NOT NULL,
    recorded_at        timestamptz NOT NULL,
    record             bytea NOT NULL,
    personal           bytea,
    leaf_hash          bytea NOT NULL,
    chain_hash         bytea NOT NULL,
    CONSTRAINT events_position PRIMARY KEY (ledger, position),
    CONSTRAINT events_command_id UNIQUE (ledger, command_id),
    CONSTRAINT events_version UNIQUE (ledger, originator_id, originator_version)
);

CREATE TABLE audit.credentials (
    ledger     text NOT NULL,
    id         text NOT NULL,
    name       text NOT NULL,
    role       text NOT NULL,
    modules    text[] NOT NULL,
    actor_id   text,
    key_hash   bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (ledger, id)
);

-- What all processes of the service share and nobody else knows: 244 random bits each.
CREATE TABLE audit.secrets (
    name   text PRIMARY KEY,
    secret bytea NOT NULL
);
INSERT INTO audit.secrets (name, secret)
    VALUES ('cursors', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- What the service sees of the events: those of the ledger that its transaction is bound to.
CREATE VIEW audit.ledger_events AS
    SELECT * FROM audit.events WHERE ledger = current_setting('certinext_audit.ledger', true);

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.events
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.events ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON audit.heads
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.heads ENABLE ALWAYS TRIGGER stays;

CREATE FUNCTION audit.refuse_step_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ledger <> OLD.ledger OR NEW.position <= OLD.position
        OR NEW.recorded_at IS NULL OR NEW.recorded_at <= OLD.recorded_at THEN
        RAISE EXCEPTION 'the head of ledger % moves forward only', OLD.ledger
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER forward_only BEFORE UPDATE ON audit.heads
    FOR EACH ROW EXECUTE FUNCTION audit.refuse_step_back();
ALTER TABLE audit.heads ENABLE ALWAYS TRIGGER forward_only;

-- A transaction is bound to one ledger and sees the head and the credentials of that one only.
ALTER TABLE audit.heads ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.heads TO certinext_audit_writer, certinext_audit_reader
    USING (ledger = current_setting('certinext_audit.ledger', true));
CREATE POLICY all_ledgers ON audit.heads FOR SELECT TO certinext_audit_projector USING (true);
ALTER TABLE audit.credentials ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.credentials TO certinext_audit_writer, certinext_audit_reader
    USING (ledger = current_setting('certinext_audit.ledger', true));

GRANT USAGE ON SCHEMA audit TO certinext_audit_writer, certinext_audit_projector, certinext_audit_reader;
GRANT INSERT (
    position, command_id, originator_id, originator_version, topic, recorded_at, record, personal, leaf_hash, chain_hash
) ON audit.events TO certinext_audit_writer;
GRANT SELECT ON audit.ledger_events TO certinext_audit_writer, certinext_audit_projector, certinext_audit_reader;
GRANT SELECT, INSERT, UPDATE ON audit.heads TO certinext_audit_writer;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON audit.credentials TO certinext_audit_writer;
GRANT SELECT ON audit.heads TO certinext_audit_projector;
GRANT SELECT ON audit.credentials, audit.secrets TO certinext_audit_reader;
