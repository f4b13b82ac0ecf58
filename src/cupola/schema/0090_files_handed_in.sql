-- Files that people hand in as answers. The bytes are a blob; a label names them, and only what stands here may be named.
-- giver: the worker's pseudonym in this tenant, or of a member (who adjudicates or audits) the person or key.
CREATE TABLE handed_in (
  tenant uuid NOT NULL,
  item uuid NOT NULL,
  giver uuid NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  media_type text NOT NULL,
  bytes bigint NOT NULL CHECK (bytes > 0),
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, item, giver, sha256, name),
  FOREIGN KEY (tenant, item) REFERENCES item (tenant, id)
);
CREATE INDEX handed_in_blob ON handed_in (tenant, sha256);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON handed_in FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE handed_in ENABLE ROW LEVEL SECURITY;
ALTER TABLE handed_in FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON handed_in TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
-- what others handed in is part of the label that an auditor does not see; their own they may look at
CREATE POLICY blind ON handed_in AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR giver = (SELECT current_person())
    OR item NOT IN (SELECT blind_items())));
GRANT SELECT, INSERT ON handed_in TO cupola_app;
