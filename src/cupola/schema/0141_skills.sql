-- Who somebody is to the work: what they say of themselves, what was checked, and what they showed in paid exams. A profile and
-- a credential are the person's, not a tenant's: no tenant reads either. What a tenant asks for is matched by the database.
CREATE TABLE profile (
  person uuid PRIMARY KEY REFERENCES person (id),
  languages text[] NOT NULL DEFAULT '{}' CHECK (cardinality(languages) <= 20),
  fields text[] NOT NULL DEFAULT '{}' CHECK (cardinality(fields) <= 50),
  country text CHECK (country ~ '^[A-Z]{2}$'),
  updated_at timestamptz NOT NULL
);
-- state: kernel/states, `credential`. One that came with a list may name somebody who is not here yet, by their address.
CREATE TABLE credential (
  id uuid PRIMARY KEY,
  person uuid REFERENCES person (id),
  email text,
  kind text NOT NULL CHECK (kind IN ('degree', 'licence', 'certificate', 'language')),
  subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 100),
  issuer text NOT NULL CHECK (length(issuer) <= 200),
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  verifier text NOT NULL DEFAULT '' CHECK (length(verifier) <= 200),  -- who looked, by name
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  issued_on date,
  expires_on date,
  document bytea,                     -- under the instance's secret
  document_name text,
  document_media text,
  document_sha256 bytea,
  at timestamptz NOT NULL,
  decided_at timestamptz,
  decided_by uuid REFERENCES person (id),
  CHECK ((person IS NULL) <> (email IS NULL)),
  CHECK ((state = 0) = (decided_at IS NULL)),
  CHECK (state = 0 OR decided_by IS NOT NULL),
  CHECK (state <> 1 OR verifier <> ''),
  CHECK (state NOT IN (2, 3) OR reason <> ''),
  CHECK ((document IS NULL) = (document_sha256 IS NULL)),
  CHECK (expires_on > issued_on)
);
CREATE INDEX credential_person ON credential (person, id);
CREATE INDEX credential_email ON credential (email) WHERE email IS NOT NULL;
CREATE INDEX credential_waiting ON credential (id) WHERE state = 0;
CREATE UNIQUE INDEX credential_listed ON credential (email, kind, subject) WHERE email IS NOT NULL AND state = 1;
GRANT SELECT, INSERT, UPDATE ON profile, credential TO cupola_ops;

-- Whom a project is for: as it was written, and as the database asks it of somebody's facts (functions/skills.sql).
ALTER TABLE project ADD COLUMN eligible text CHECK (length(eligible) BETWEEN 1 AND 2000);
ALTER TABLE project ADD COLUMN eligible_path jsonpath;
ALTER TABLE project ADD CONSTRAINT project_eligible CHECK ((eligible IS NULL) = (eligible_path IS NULL));

-- An exam is a project by itself: every answer is known, and each is paid, right or wrong. An attempt is one page, whose tasks
-- nobody meets twice; it is passed where the lower end of the interval of what was right reaches what the exam asks.
ALTER TABLE project ADD COLUMN is_exam boolean NOT NULL DEFAULT false;
ALTER TABLE project ADD CONSTRAINT project_exam
  CHECK (NOT is_exam OR (trains IS NULL AND training IS NULL AND review_first_s IS NULL AND cardinality(stages) = 1));
CREATE TABLE exam (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  skill text NOT NULL CHECK (skill = lower(skill) AND length(skill) BETWEEN 1 AND 100),
  source uuid,                        -- the project whose gold it was made from
  items smallint NOT NULL CHECK (items BETWEEN 5 AND 50),
  at_least real NOT NULL CHECK (at_least BETWEEN 0.1 AND 0.99),
  confidence real NOT NULL CHECK (confidence BETWEEN 0.5 AND 0.99),
  retake_days smallint NOT NULL CHECK (retake_days BETWEEN 0 AND 365),
  valid_days smallint NOT NULL CHECK (valid_days BETWEEN 1 AND 1825),
  tells boolean NOT NULL,             -- whether the result shows what would have been right
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project),
  UNIQUE (tenant, skill),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, source) REFERENCES project (tenant, id)
);
-- state: kernel/states, `attempt`. The rule stands in the row as it was when it was begun.
CREATE TABLE exam_attempt (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  worker uuid NOT NULL,
  tasks uuid[] NOT NULL,
  at_least real NOT NULL,
  confidence real NOT NULL,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  answered smallint NOT NULL DEFAULT 0,
  rights smallint NOT NULL DEFAULT 0,
  low real,
  high real,
  at timestamptz NOT NULL,
  ended_at timestamptz,
  expires_at timestamptz,
  CHECK (answered <= cardinality(tasks) AND rights <= answered),
  CHECK ((state = 0) = (ended_at IS NULL)),
  CHECK (state NOT IN (1, 2) OR (answered = cardinality(tasks) AND low <= high)),
  CHECK (state <> 1 OR (low >= at_least AND expires_at IS NOT NULL)),
  CHECK (state <> 2 OR low < at_least),
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, project) REFERENCES exam (tenant, project)
);
CREATE INDEX exam_attempt_worker ON exam_attempt (tenant, worker, project, id DESC);
CREATE UNIQUE INDEX exam_attempt_open ON exam_attempt (tenant, worker, project) WHERE state = 0;
CREATE TABLE exam_answer (
  tenant uuid NOT NULL,
  judgement uuid NOT NULL,
  attempt uuid NOT NULL,
  task uuid NOT NULL,
  is_right boolean NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, judgement),
  FOREIGN KEY (tenant, judgement) REFERENCES judgement (tenant, id),
  FOREIGN KEY (tenant, attempt) REFERENCES exam_attempt (tenant, id)
);
CREATE INDEX exam_answer_attempt ON exam_answer (tenant, attempt);
-- What somebody met in an exam is no gold of theirs anywhere else: they would know it again.
CREATE TABLE exam_met (
  tenant uuid NOT NULL,
  worker uuid NOT NULL,
  item uuid NOT NULL,
  PRIMARY KEY (tenant, worker, item),
  FOREIGN KEY (tenant, item) REFERENCES item (tenant, id)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['exam', 'exam_attempt', 'exam_answer', 'exam_met'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_only ON %I TO cupola_app, cupola_owner '
      'USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()))', t);
    EXECUTE format('CREATE TRIGGER append_only BEFORE %s ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
      CASE WHEN t IN ('exam_answer', 'exam_met') THEN 'UPDATE OR DELETE OR TRUNCATE' ELSE 'DELETE OR TRUNCATE' END, t);
  END LOOP;
END $$;
CREATE POLICY own_rows ON exam_attempt FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
GRANT SELECT ON exam_attempt TO cupola_gateway;
CREATE POLICY of_tenant ON exam FOR SELECT TO cupola_gateway USING (tenant = (SELECT current_tenant()));
GRANT SELECT (tenant, project, skill, items, at_least, confidence, retake_days, valid_days, tells) ON exam TO cupola_gateway;
GRANT SELECT (eligible, is_exam) ON project TO cupola_gateway;
GRANT SELECT, INSERT, UPDATE ON exam TO cupola_app;
GRANT SELECT ON exam_attempt, exam_answer TO cupola_app;
