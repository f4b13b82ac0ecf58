-- Models that learn, beside the models of people that `model_version` keeps. A learned model is an organisation's; each of its
-- versions is a card and a file of weights, and stays as it is.
CREATE TABLE learned_model (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  source text NOT NULL CHECK (source IN ('learner', 'onnx')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name)
);
-- What was done: a model fitted on what people settled, or asked of a project's tasks. It reads what was settled up to
-- `labels_until`, so that it is the same however often it is begun.
CREATE TABLE learning_run (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  model uuid NOT NULL,
  verb text NOT NULL CHECK (verb IN ('fit', 'predict')),
  version int,                        -- of the model: that is asked, or that came of it
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  step text NOT NULL DEFAULT '' CHECK (step IN ('', 'reading', 'fitting', 'predicting')),
  seed bigint NOT NULL,
  features text,                      -- JSON of card.Features where they were asked for
  labels_until uuid NOT NULL,
  attempt int NOT NULL DEFAULT 0,     -- the fence: whoever began it last may write
  labels_sha256 bytea,
  learned_from int,                   -- how many labels
  out_of_fold bytea,                  -- a blob: tasks and their probabilities by models that did not see them
  last_rank bigint NOT NULL DEFAULT -1,  -- up to which opinions are kept
  tasks_done bigint NOT NULL DEFAULT 0,
  tasks_total bigint NOT NULL DEFAULT 0,
  opinions bigint NOT NULL DEFAULT 0,
  left_out bigint NOT NULL DEFAULT 0,
  cpu_s double precision NOT NULL DEFAULT 0,
  metrics text,
  environment text,
  error text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, model) REFERENCES learned_model (tenant, id)
);
CREATE INDEX learning_run_project ON learning_run (tenant, project, id DESC);
-- one at a time: they ask the same people's tasks, and put them into an order
CREATE UNIQUE INDEX learning_run_active ON learning_run (tenant, project) WHERE state IN ('waiting', 'running');
CREATE INDEX learning_run_blob ON learning_run (tenant, out_of_fold) WHERE out_of_fold IS NOT NULL;
CREATE TABLE learned_version (
  tenant uuid NOT NULL,
  model uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  card text NOT NULL,
  sha256 bytea NOT NULL,              -- of the file, a blob
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  run uuid,                           -- that made it
  made_from int,                      -- the version that it is a smaller one of
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, model, version),
  FOREIGN KEY (tenant, model) REFERENCES learned_model (tenant, id),
  FOREIGN KEY (tenant, run) REFERENCES learning_run (tenant, id),
  UNIQUE (tenant, run)
);
CREATE INDEX learned_version_blob ON learned_version (tenant, sha256);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON learned_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE learned_model ENABLE ROW LEVEL SECURITY;
ALTER TABLE learned_model FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON learned_model TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
ALTER TABLE learned_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE learned_version FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON learned_version TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
ALTER TABLE learning_run ENABLE ROW LEVEL SECURITY;
ALTER TABLE learning_run FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON learning_run TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT UPDATE (name) ON learned_model TO cupola_app;  -- so that a version can be counted under its lock
GRANT SELECT, INSERT ON learned_model, learned_version TO cupola_app;
GRANT SELECT, INSERT, UPDATE ON learning_run TO cupola_app;
