-- What the projectors keep: which generation of each read table is shown, and how far each has come.
-- The read tables themselves are made by their projections, so that a new one can be filled beside the old.

CREATE SCHEMA reading AUTHORIZATION certinext_audit_projector;

CREATE TABLE reading.generations (
    projection text PRIMARY KEY,
    generation integer NOT NULL
);

CREATE TABLE reading.tracking (
    ledger     text NOT NULL,
    projection text NOT NULL,
    generation integer NOT NULL,
    position   bigint NOT NULL,
    moved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ledger, projection, generation)
) WITH (fillfactor = 50);

CREATE TABLE reading.set_aside (
    ledger     text NOT NULL,
    projection text NOT NULL,
    generation integer NOT NULL,
    position   bigint NOT NULL,
    error      text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ledger, projection, generation, position)
);

CREATE TABLE reading.leases (
    work   text PRIMARY KEY,
    holder text NOT NULL,
    until  timestamptz NOT NULL
);

ALTER TABLE reading.generations OWNER TO certinext_audit_projector;
ALTER TABLE reading.tracking OWNER TO certinext_audit_projector;
ALTER TABLE reading.set_aside OWNER TO certinext_audit_projector;
ALTER TABLE reading.leases OWNER TO certinext_audit_projector;

GRANT USAGE ON SCHEMA reading TO certinext_audit_reader;
GRANT SELECT ON reading.generations, reading.tracking TO certinext_audit_reader;
-- Not the errors, which may quote events of any ledger.
GRANT SELECT (ledger, projection, generation, position) ON reading.set_aside TO certinext_audit_reader;
