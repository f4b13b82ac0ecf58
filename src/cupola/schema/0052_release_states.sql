-- A release is declared in a transaction of its own: its plan and the commitment to its seed are published before any
-- row is frozen. What it says never changes afterwards, and the table itself keeps the order of its states.
ALTER TABLE release DROP CONSTRAINT release_state_check;
ALTER TABLE release ADD CHECK (state IN ('declared', 'frozen', 'auditing', 'certified', 'failed'));
ALTER TABLE release ADD COLUMN declared_in xid8 NOT NULL DEFAULT '0';
ALTER TABLE release ALTER COLUMN declared_in SET DEFAULT pg_current_xact_id();
ALTER TABLE release ADD COLUMN frozen_at timestamptz;
ALTER TABLE release NO FORCE ROW LEVEL SECURITY;  -- for this file: it belongs to no tenant
UPDATE release SET frozen_at = created_at;
ALTER TABLE release FORCE ROW LEVEL SECURITY;
-- Every audit before this one that shares rows with it, as JSON; NULL for releases from before it was kept.
ALTER TABLE release ADD COLUMN earlier text;

CREATE TRIGGER kept BEFORE INSERT OR UPDATE ON release FOR EACH ROW EXECUTE FUNCTION release_kept();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON release FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER kept AFTER INSERT ON release_row REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION release_rows_kept();
CREATE TRIGGER kept AFTER INSERT ON audit_item REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION release_rows_kept();
CREATE TRIGGER kept AFTER INSERT ON audit_judgement REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_judgement_kept();

REVOKE UPDATE ON release FROM cupola_app;
GRANT UPDATE (state, items, rows_sha256, seed, earlier, frozen_at, certificate, certified_at) ON release TO cupola_app;
