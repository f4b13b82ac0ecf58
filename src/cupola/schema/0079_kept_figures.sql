-- What a look at a large project shows without reading all of its judgements: counted by a job, again as it grows.
CREATE TABLE project_figures (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  counted bigint NOT NULL,  -- judgements and settled tasks at that time
  figures bytea NOT NULL,   -- as JSON
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
ALTER TABLE project_figures ENABLE ROW LEVEL SECURITY;
ALTER TABLE project_figures FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON project_figures TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON project_figures TO cupola_app;
