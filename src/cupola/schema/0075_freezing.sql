-- A large release is frozen by a job, some rows at a time: between being declared and being frozen it is freezing.
ALTER TABLE release DROP CONSTRAINT release_state_check;
ALTER TABLE release ADD CHECK (state IN ('declared', 'freezing', 'frozen', 'auditing', 'certified', 'failed')) NOT VALID;
ALTER TABLE release ADD COLUMN freezing_of bigint CHECK (freezing_of >= 0);
ALTER TABLE release ADD COLUMN trouble text NOT NULL DEFAULT '';
-- The two hashes of a certificate, of what never changes again. NULL for releases from before they were kept.
ALTER TABLE release ADD COLUMN ids_sha256 bytea CHECK (length(ids_sha256) = 32);
ALTER TABLE release ADD COLUMN labels_sha256 bytea CHECK (length(labels_sha256) = 32);
GRANT UPDATE (freezing_of, trouble, ids_sha256, labels_sha256) ON release TO cupola_app;
