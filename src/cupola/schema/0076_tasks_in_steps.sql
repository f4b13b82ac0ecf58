-- Tasks of a large data set are made by a job, some items at a time: what is left to do for a project.
CREATE TABLE task_adding (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  dataset uuid NOT NULL,
  gold_below text NOT NULL,
  after uuid NOT NULL,
  items bigint NOT NULL CHECK (items >= 0),
  looked_at bigint NOT NULL DEFAULT 0,
  made bigint NOT NULL DEFAULT 0,
  trouble text NOT NULL DEFAULT '',
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, dataset) REFERENCES dataset (tenant, id)
);
ALTER TABLE task_adding ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_adding FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON task_adding TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON task_adding TO cupola_app;
