-- Who is offered a tenant's work: crews, people whom a tenant invited itself, and paid training before the first page.

-- ---------------------------------------------------------------- crews
-- A crew is a set of people named by their addresses, who may not have come yet. A task with a crew is offered to them
-- alone; whether somebody belongs to it is asked anew at each claim.
CREATE TABLE crew (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE TABLE crew_member (
  tenant uuid NOT NULL,
  crew uuid NOT NULL,
  email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
  PRIMARY KEY (tenant, crew, email),
  FOREIGN KEY (tenant, crew) REFERENCES crew (tenant, id)
);
CREATE INDEX crew_member_email ON crew_member (tenant, email);
ALTER TABLE task ADD COLUMN crew uuid;
ALTER TABLE task ADD FOREIGN KEY (tenant, crew) REFERENCES crew (tenant, id);
CREATE INDEX task_crew ON task (tenant, crew) WHERE crew IS NOT NULL;
-- true once a task of it had a crew: spares all other projects the look
ALTER TABLE project ADD COLUMN crewed boolean NOT NULL DEFAULT false;

-- ---------------------------------------------------------------- people whom a tenant invited to work for it
-- They see this tenant's work and no other's: whom a tenant lets in, no other tenant has to trust.
CREATE TABLE labeler (
  tenant uuid NOT NULL REFERENCES tenant (id),
  person uuid NOT NULL REFERENCES person (id),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, person)
);
CREATE INDEX labeler_person ON labeler (person);
-- a contributor who came by a tenant's invitation alone
ALTER TABLE person ADD COLUMN is_guest boolean NOT NULL DEFAULT false;
ALTER TABLE invitation DROP CONSTRAINT invitation_role_check;
ALTER TABLE invitation ADD CONSTRAINT invitation_role_check
  CHECK (role IN ('owner', 'manager', 'reviewer', 'labeler') AND (role <> 'labeler' OR email IS NOT NULL));
ALTER TABLE order_teammate ADD COLUMN expires_at timestamptz;

-- ---------------------------------------------------------------- training
-- A training project stands beside the project it trains for: the same ontology, guidelines and price, and every
-- answer known. Nothing judged there can reach the other's data.
ALTER TABLE project ADD COLUMN trains uuid;
ALTER TABLE project ADD COLUMN training uuid;
ALTER TABLE project ADD COLUMN pass_share real CHECK (pass_share > 0 AND pass_share <= 1);
ALTER TABLE project ADD FOREIGN KEY (tenant, trains) REFERENCES project (tenant, id);
ALTER TABLE project ADD FOREIGN KEY (tenant, training) REFERENCES project (tenant, id);
ALTER TABLE project ADD CONSTRAINT project_training_check CHECK ((trains IS NULL) = (pass_share IS NULL)
  AND (trains IS NULL OR training IS NULL));
CREATE UNIQUE INDEX project_trains ON project (tenant, trains) WHERE trains IS NOT NULL;
CREATE TABLE training_answer (
  tenant uuid NOT NULL,
  judgement uuid NOT NULL,
  project uuid NOT NULL,              -- the training project
  worker uuid NOT NULL,
  is_right boolean NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, judgement),
  FOREIGN KEY (tenant, judgement) REFERENCES judgement (tenant, id),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
CREATE INDEX training_answer_worker ON training_answer (tenant, project, worker, at);
-- Who passed is not trained again, whatever tasks are added later.
CREATE TABLE training_pass (
  tenant uuid NOT NULL,
  project uuid NOT NULL,              -- the project that is open to them now
  worker uuid NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project, worker),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
ALTER TABLE order_line ADD COLUMN training boolean NOT NULL DEFAULT false;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON training_answer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- gold by worker
-- The proven meet less gold, whoever seems to drift meets more; NULL is the plan's own rate.
ALTER TABLE queue_cursor ADD COLUMN gold_rate real CHECK (gold_rate BETWEEN 0 AND 1);
GRANT UPDATE (gold_rate) ON queue_cursor TO cupola_app;

-- ---------------------------------------------------------------- row level security
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['crew', 'crew_member', 'labeler', 'training_answer', 'training_pass']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_only ON %I TO cupola_app, cupola_owner '
      'USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()))', t);
  END LOOP;
END $$;
CREATE POLICY own_rows ON labeler FOR SELECT TO cupola_gateway USING (person = (SELECT current_person()));
CREATE POLICY own_rows ON membership FOR SELECT TO cupola_gateway USING (person = (SELECT current_person()));
GRANT SELECT, INSERT, DELETE ON crew_member, labeler TO cupola_app;
GRANT SELECT, INSERT ON crew TO cupola_app;
GRANT SELECT ON training_answer, training_pass TO cupola_app;
GRANT SELECT ON labeler TO cupola_gateway;
GRANT SELECT (tenant, person) ON membership TO cupola_gateway;
GRANT DELETE ON order_teammate TO cupola_app;
-- what was delivered, or given up, long ago is taken out of the logs; so are links that nobody can use any more
GRANT DELETE ON order_callback TO cupola_app;
GRANT SELECT (created_at) ON order_callback, webhook_delivery TO cupola_ops;
GRANT DELETE ON person_link TO cupola_ops;
GRANT DELETE ON invitation TO cupola_app;
