-- A key reads for whoever made it; one made by the command line, or before this, is nobody's.
ALTER TABLE api_key ADD COLUMN made_by uuid REFERENCES person (id);
-- Which key judged, where no person did: it is blind like any auditor.
ALTER TABLE audit_judgement ADD COLUMN key uuid;
ALTER TABLE audit_judgement ADD FOREIGN KEY (tenant, key) REFERENCES api_key (tenant, id);

-- Who has read labels that an open audit drew: they judge none of it. Written by the functions that let them read.
CREATE TABLE audit_reader (
  tenant uuid NOT NULL,
  release uuid NOT NULL,
  person uuid NOT NULL REFERENCES person (id),
  PRIMARY KEY (tenant, release, person),
  FOREIGN KEY (tenant, release) REFERENCES release (tenant, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_reader FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit_reader ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_reader FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON audit_reader TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT SELECT ON audit_reader TO cupola_app;

-- The body of a callback holds an order's answer.
CREATE POLICY blind ON order_callback AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task IS NULL
    OR task NOT IN (SELECT blind_orders())));
