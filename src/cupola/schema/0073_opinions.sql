-- What models say of tasks. An opinion is no judgement: nobody is paid for it, no audit reads it, and it is heard by how
-- often it was found right. A version of a model is a rater, under an identifier derived from its name.
CREATE TABLE opinion (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  task uuid NOT NULL,
  model text NOT NULL CHECK (length(model) BETWEEN 1 AND 200),
  model_version text NOT NULL CHECK (length(model_version) BETWEEN 1 AND 200),
  rater uuid NOT NULL,
  label text NOT NULL,
  label_sha256 bytea NOT NULL GENERATED ALWAYS AS (label_hash(label)) STORED,
  code smallint,                      -- class number of a single choice
  probabilities real[],               -- of every class in the order of the ontology, where the model gave them
  confidence real CHECK (confidence BETWEEN 0 AND 1),
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, task, rater),       -- a version of a model says one thing about a task
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
);
CREATE INDEX opinion_project ON opinion (tenant, project, id);
CREATE INDEX opinion_rater ON opinion (tenant, project, rater, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON opinion FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE opinion ENABLE ROW LEVEL SECURITY;
ALTER TABLE opinion FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON opinion TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
-- an auditor is told by no model either what they are to judge
CREATE POLICY blind ON opinion AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task NOT IN (SELECT blind_tasks())));
GRANT SELECT, INSERT ON opinion TO cupola_app;

-- What a fit found of each version of a model, beside what it found of people; NULL where no model said anything.
ALTER TABLE model_version ADD COLUMN raters bytea;
-- The opinions that a settlement rests on beside its judgements; NULL: none.
ALTER TABLE settlement ADD COLUMN opinions uuid[];
-- Whether what models say is heard, and whether it stands for one of the judgements that a task needs at least.
ALTER TABLE project ADD COLUMN opinions text NOT NULL DEFAULT 'heard' CHECK (opinions IN ('heard', 'counted', 'unheard'));
