-- A model that settles alone what a certificate covers, watched by people.

-- A task of people alone: what models say of it is neither heard nor shown. Of samples and of the watch.
ALTER TABLE task ADD COLUMN alone boolean NOT NULL DEFAULT false;
ALTER TABLE settlement DROP CONSTRAINT settlement_how_check;
ALTER TABLE settlement ADD CONSTRAINT settlement_how_check
  CHECK (how IN ('crowd', 'adjudicated', 'undecidable', 'reviewed', 'model')) NOT VALID;

CREATE TABLE auto_accept (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  model uuid NOT NULL,
  version int NOT NULL,
  state text NOT NULL CHECK (state IN ('drawing', 'calibrating', 'on', 'refused', 'off')),
  error_limit double precision NOT NULL CHECK (error_limit > 0 AND error_limit < 0.5),
  confidence double precision NOT NULL CHECK (confidence BETWEEN 0.5 AND 0.9999),
  sample int NOT NULL CHECK (sample > 0),
  judged_by text NOT NULL CHECK (judged_by IN ('experts', 'crowd')),
  slice_by text CHECK (length(slice_by) BETWEEN 1 AND 200),
  later boolean NOT NULL,
  audit_share double precision NOT NULL CHECK (audit_share > 0 AND audit_share <= 1),
  commitment bytea NOT NULL,          -- SHA-256 of the seed, told from the beginning
  seed bytea,                         -- told with the certificate
  certificate text,                   -- JSON: what was found of each slice
  tasks bigint NOT NULL DEFAULT 0,    -- of the batch
  error text,
  why text,                           -- it is off, or refused
  created_at timestamptz NOT NULL,
  drawn_at timestamptz,
  certified_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, model, version) REFERENCES learned_version (tenant, model, version)
);
CREATE INDEX auto_accept_project ON auto_accept (tenant, project, id DESC);
CREATE UNIQUE INDEX auto_accept_active ON auto_accept (tenant, project) WHERE state IN ('drawing', 'calibrating', 'on');
-- The tasks of its batch. use: 0 of the batch, 1 the sample, 2 settled by the model, 3 watched, 4 left to people.
CREATE TABLE auto_accept_task (
  tenant uuid NOT NULL,
  auto_accept uuid NOT NULL,
  task uuid NOT NULL,
  opinion uuid NOT NULL,
  slice text NOT NULL,
  score real NOT NULL,
  code smallint NOT NULL,
  use smallint NOT NULL CHECK (use BETWEEN 0 AND 4),
  later boolean NOT NULL,
  wrong boolean,                      -- of the sample and the watch, once people have settled it
  seen_at uuid,                       -- the settlement that told
  PRIMARY KEY (tenant, auto_accept, task),
  FOREIGN KEY (tenant, auto_accept) REFERENCES auto_accept (tenant, id),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
);
CREATE INDEX auto_accept_task_use ON auto_accept_task (tenant, auto_accept, use, task);

ALTER TABLE auto_accept ENABLE ROW LEVEL SECURITY;
ALTER TABLE auto_accept FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON auto_accept TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
ALTER TABLE auto_accept_task ENABLE ROW LEVEL SECURITY;
ALTER TABLE auto_accept_task FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON auto_accept_task TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON auto_accept, auto_accept_task TO cupola_app;
