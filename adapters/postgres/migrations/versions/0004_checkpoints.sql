-- Signed checkpoints, the keys that signed them, and the alarm of a signer that refuses.

-- Each names the one before, of which it was proven to be the continuation: of two signers that go on from the same
-- one, the second is refused and looks again.
CREATE TABLE audit.checkpoints (
    ledger        text NOT NULL,
    size          bigint NOT NULL,
    previous_size bigint NOT NULL,
    note          text NOT NULL,
    key_name      text NOT NULL,
    key_id        bytea NOT NULL,
    signed_at     timestamptz NOT NULL,
    CONSTRAINT checkpoints_size PRIMARY KEY (ledger, size),
    CONSTRAINT checkpoints_previous UNIQUE (ledger, previous_size),
    CONSTRAINT checkpoints_grow CHECK (previous_size >= 0 AND size > previous_size)
);

-- When a key was used last.
CREATE INDEX checkpoints_key ON audit.checkpoints (ledger, key_name, key_id, size);

-- The public keys, so that old checkpoints can be verified after a rotation.
CREATE TABLE audit.signing_keys (
    ledger        text NOT NULL,
    name          text NOT NULL,
    key_id        bytea NOT NULL,
    public_key    bytea NOT NULL,
    first_used_at timestamptz NOT NULL,
    CONSTRAINT signing_keys_key PRIMARY KEY (ledger, name, key_id)
);

-- Why nothing is signed at present; a ledger that is signed again has none.
CREATE TABLE audit.signing_alarms (
    ledger    text NOT NULL,
    reason    text NOT NULL,
    raised_at timestamptz NOT NULL,
    CONSTRAINT signing_alarms_ledger PRIMARY KEY (ledger)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.checkpoints ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.signing_keys
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();
ALTER TABLE audit.signing_keys ENABLE ALWAYS TRIGGER append_only;

ALTER TABLE audit.checkpoints ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.checkpoints TO certinext_audit_writer, certinext_audit_reader
    USING (ledger = current_setting('certinext_audit.ledger', true));
CREATE POLICY all_ledgers ON audit.checkpoints FOR SELECT TO certinext_audit_projector USING (true);
ALTER TABLE audit.signing_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.signing_keys TO certinext_audit_writer, certinext_audit_reader
    USING (ledger = current_setting('certinext_audit.ledger', true));
ALTER TABLE audit.signing_alarms ENABLE ROW LEVEL SECURITY;
CREATE POLICY bound_to_ledger ON audit.signing_alarms TO certinext_audit_writer
    USING (ledger = current_setting('certinext_audit.ledger', true));
CREATE POLICY all_ledgers ON audit.signing_alarms FOR SELECT TO certinext_audit_projector USING (true);

GRANT SELECT, INSERT ON audit.checkpoints, audit.signing_keys TO certinext_audit_writer;
GRANT SELECT ON audit.checkpoints, audit.signing_keys TO certinext_audit_reader;
-- Only to find the ledgers that have grown since.
GRANT SELECT (ledger, size) ON audit.checkpoints TO certinext_audit_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON audit.signing_alarms TO certinext_audit_writer;
GRANT SELECT (ledger) ON audit.signing_alarms TO certinext_audit_projector;
