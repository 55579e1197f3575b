-- Says which version of its rules a projection was filled by, where it has rules: when they change, it is filled anew.

ALTER TABLE reading.generations ADD COLUMN fingerprint text NOT NULL DEFAULT '';
