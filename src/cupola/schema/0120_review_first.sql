-- Review first, where a project says so before anybody claims: what is submitted waits for its requester, for so long at most,
-- and is then accepted by itself. The terms are those of the claim.
ALTER TABLE project ADD COLUMN review_first_s int
  CONSTRAINT project_review_first_s CHECK (review_first_s BETWEEN 60 AND 259200);
ALTER TABLE project ADD CONSTRAINT project_review_first
  CHECK (review_first_s IS NULL OR (cardinality(stages) = 1 AND trains IS NULL));
ALTER TABLE assignment ADD COLUMN review_first_s int;
-- Submitted and not yet decided: still a hold, but nobody's to work on, to return or to let expire.
ALTER TABLE lease ADD COLUMN under_review boolean NOT NULL DEFAULT false;
GRANT SELECT (review_first_s) ON project TO cupola_gateway;
GRANT SELECT (under_review) ON lease TO cupola_gateway;

-- state: kernel/states, `submission`. One that is accepted becomes a judgement of the same identifier, in the transaction that
-- pays it; one that is refused for good never does, so that whoever rejects work does not have it.
CREATE TABLE submission (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  assignment uuid NOT NULL,
  task uuid NOT NULL,
  worker uuid NOT NULL,
  project uuid NOT NULL,
  label text NOT NULL,
  code smallint,
  seconds real NOT NULL,
  gold boolean NOT NULL,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  decided_at timestamptz,
  CHECK ((state IN (1, 3)) = (decided_at IS NOT NULL)),
  CHECK (due_at <= at + interval '72 hours'),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, assignment, task),
  FOREIGN KEY (tenant, assignment, task) REFERENCES lease (tenant, assignment, task)
);
CREATE INDEX submission_due ON submission (tenant, due_at) WHERE state = 0;
CREATE INDEX submission_worker ON submission (tenant, worker, id DESC);
CREATE INDEX submission_project ON submission (tenant, project, id DESC);
CREATE INDEX submission_long ON submission (tenant, label) WHERE starts_with(label, '@');

-- What a first reviewer found, where it takes two.
CREATE TABLE submission_doubt (
  tenant uuid NOT NULL,
  submission uuid NOT NULL,
  person uuid NOT NULL,
  reason text NOT NULL CHECK (reason IN ('wrong-class', 'missing', 'too-much', 'inexact', 'guideline', 'careless', 'other')),
  place text NOT NULL CHECK (length(place) BETWEEN 1 AND 500),
  note text NOT NULL CHECK (length(note) <= 2000),
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, submission, person),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
-- A rejection names a reason of this list, points at a place and brings evidence: a gold that says otherwise, two reviewers
-- who looked apart, or the label as it should be.
CREATE TABLE submission_rejection (
  tenant uuid NOT NULL,
  submission uuid NOT NULL,
  worker uuid NOT NULL,
  reason text NOT NULL CHECK (reason IN ('wrong-class', 'missing', 'too-much', 'inexact', 'guideline', 'careless', 'other')),
  place text NOT NULL CHECK (length(place) BETWEEN 1 AND 500),
  note text NOT NULL CHECK (length(note) <= 2000),
  evidence text NOT NULL CHECK (evidence IN ('gold', 'reviewers', 'corrected')),
  corrected text,
  second uuid,                        -- the reviewer who had found the same before
  rejecter uuid NOT NULL,             -- the person, or the key, and whose it is
  at timestamptz NOT NULL,
  appeal_by timestamptz NOT NULL,
  CHECK (reason <> 'other' OR note <> ''),
  CHECK ((evidence = 'corrected') = (corrected IS NOT NULL)),
  CHECK ((evidence = 'reviewers') = (second IS NOT NULL)),
  CHECK (second <> rejecter),
  CHECK (appeal_by >= at + interval '14 days'),
  PRIMARY KEY (tenant, submission),
  FOREIGN KEY (tenant, submission) REFERENCES submission (tenant, id)
);
CREATE INDEX submission_rejection_due ON submission_rejection (tenant, appeal_by);
CREATE INDEX submission_rejection_long ON submission_rejection (tenant, corrected) WHERE starts_with(corrected, '@');
-- Too much of a project's work was rejected at once: no rejection becomes final, and none is added, before an operator looked.
CREATE TABLE review_freeze (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  rejected int NOT NULL,
  submitted int NOT NULL,
  at timestamptz NOT NULL,
  decide_by timestamptz NOT NULL,     -- nobody looked by then: every rejection that is not final falls
  decided_at timestamptz,
  decided_by uuid REFERENCES person (id),
  lifted boolean,                     -- true: the rejections go on; false: they fell
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  CHECK ((decided_at IS NULL) = (lifted IS NULL)),
  CHECK (lifted IS NOT TRUE OR (decided_by IS NOT NULL AND note <> '')),
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
CREATE UNIQUE INDEX review_freeze_open ON review_freeze (tenant, project) WHERE decided_at IS NULL;

-- An appeal: filed by the worker, answered by the tenant (who takes the rejection back or stands by it), decided by a panel.
-- Each step has its deadline, and where nobody answers the worker has won.
CREATE TABLE appeal (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  submission uuid NOT NULL,
  worker uuid NOT NULL,
  words text NOT NULL CHECK (length(words) BETWEEN 1 AND 4000),
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  at timestamptz NOT NULL,
  answer_by timestamptz NOT NULL,
  answer text NOT NULL DEFAULT '' CHECK (length(answer) <= 4000),
  answered_at timestamptz,
  panel_by timestamptz NOT NULL,
  seat_minor bigint,                  -- the most that one seat of its panel is paid; reserved when the tenant stood by it
  decided_at timestamptz,
  CHECK (answer_by <= at + interval '72 hours'),
  CHECK (panel_by <= at + interval '14 days'),
  CHECK ((state >= 2) = (decided_at IS NOT NULL)),
  CHECK (state <> 1 OR (answered_at IS NOT NULL AND seat_minor > 0)),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, submission),
  FOREIGN KEY (tenant, submission) REFERENCES submission_rejection (tenant, submission)
);
CREATE INDEX appeal_open ON appeal (tenant, state, answer_by) WHERE state < 2;
-- Seat 1 is a peer's. Who sits is neither of the tenant nor the rejecter nor the worker (trigger).
CREATE TABLE panel_seat (
  tenant uuid NOT NULL,
  appeal uuid NOT NULL,
  seat smallint NOT NULL CHECK (seat BETWEEN 1 AND 3),
  person uuid NOT NULL REFERENCES person (id),
  worker uuid NOT NULL,               -- how the tenant's books know them
  taken_at timestamptz NOT NULL,
  upheld boolean,
  words text NOT NULL DEFAULT '' CHECK (length(words) <= 4000),
  seconds real,
  voted_at timestamptz,
  paid_by uuid,
  CHECK ((upheld IS NULL) = (voted_at IS NULL)),
  CHECK ((upheld IS NULL) = (paid_by IS NULL)),
  PRIMARY KEY (tenant, appeal, seat),
  UNIQUE (tenant, appeal, person),
  FOREIGN KEY (tenant, appeal) REFERENCES appeal (tenant, id)
);
CREATE TRIGGER kept BEFORE INSERT OR UPDATE ON panel_seat FOR EACH ROW EXECUTE FUNCTION panel_seat_kept();
-- How a rejection ended, once and for all.
CREATE TABLE verdict (
  tenant uuid NOT NULL,
  submission uuid NOT NULL,
  worker uuid NOT NULL,
  upheld boolean NOT NULL,
  how text NOT NULL CHECK (how IN ('panel', 'unappealed', 'conceded', 'unanswered', 'undecided', 'frozen')),
  at timestamptz NOT NULL,
  CHECK (upheld = (how = 'unappealed') OR how = 'panel'),
  PRIMARY KEY (tenant, submission),
  FOREIGN KEY (tenant, submission) REFERENCES submission_rejection (tenant, submission)
);
CREATE INDEX verdict_at ON verdict (tenant, at);

ALTER TABLE account DROP CONSTRAINT account_type_check;
ALTER TABLE account ADD CONSTRAINT account_type_check CHECK (type IN ('external', 'budget', 'project_budget', 'escrow', 'worker',
  'platform_fee', 'quality_reserve', 'topup_reserve', 'payout_clearing', 'hearing_reserve')) NOT VALID;
ALTER TABLE account DROP CONSTRAINT account_check2;
ALTER TABLE account ADD CONSTRAINT account_of_project
  CHECK ((type IN ('project_budget', 'escrow', 'hearing_reserve')) = (project IS NOT NULL)) NOT VALID;
ALTER TABLE flow DISABLE TRIGGER append_only;
INSERT INTO flow (kind, debit_type, credit_type) VALUES
  ('hear', 'project_budget', 'hearing_reserve'),
  ('hearing', 'hearing_reserve', 'worker'),
  ('unhear', 'hearing_reserve', 'project_budget');
ALTER TABLE flow ENABLE TRIGGER append_only;
-- No money of a submitted page goes back to a project without an upheld verdict on what it was held for.
CREATE TRIGGER reject_kept BEFORE INSERT ON transfer FOR EACH ROW WHEN (NEW.kind = 'reject') EXECUTE FUNCTION reject_kept();

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['submission', 'submission_doubt', 'submission_rejection', 'review_freeze', 'appeal', 'panel_seat', 'verdict'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_only ON %I TO cupola_app, cupola_owner '
      'USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()))', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['submission_doubt', 'submission_rejection', 'verdict'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['submission', 'review_freeze', 'appeal', 'panel_seat'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
CREATE POLICY own_rows ON submission FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
-- whose work is frozen is told so
CREATE POLICY of_tenant ON review_freeze FOR SELECT TO cupola_gateway USING (tenant = (SELECT current_tenant()));
GRANT SELECT (tenant, id, project, at, decide_by, decided_at, lifted) ON review_freeze TO cupola_gateway;
CREATE POLICY own_rows ON appeal FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON submission_rejection FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON verdict FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
-- an auditor reads nothing of what they are to judge
CREATE POLICY blind ON submission AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task NOT IN (SELECT blind_tasks())));
-- Operations know that something is due, and what is frozen; no payload.
CREATE POLICY all_due ON submission FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_due ON submission_rejection FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_due ON appeal FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_due ON review_freeze FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_due ON verdict FOR SELECT TO cupola_ops USING (true);
GRANT SELECT (tenant, id, state, due_at) ON submission TO cupola_ops;
GRANT SELECT (tenant, submission, appeal_by) ON submission_rejection TO cupola_ops;
GRANT SELECT (tenant, id, state, at, answer_by, panel_by) ON appeal TO cupola_ops;
GRANT SELECT (tenant, submission) ON verdict TO cupola_ops;
GRANT SELECT ON review_freeze TO cupola_ops;
-- the gold column, as of leases and judgements, is nobody's who works
GRANT SELECT (tenant, id, assignment, task, worker, project, label, seconds, state, at, due_at, decided_at) ON submission TO cupola_gateway;
GRANT SELECT ON appeal, verdict TO cupola_gateway;
GRANT SELECT (tenant, submission, worker, reason, place, note, evidence, corrected, at, appeal_by) ON submission_rejection TO cupola_gateway;
GRANT SELECT ON submission, submission_doubt, submission_rejection, review_freeze, appeal, verdict TO cupola_app;
GRANT INSERT ON submission_doubt TO cupola_app;
-- how a panel voted, not who sat on it
GRANT SELECT (tenant, appeal, seat, taken_at, upheld, words, seconds, voted_at) ON panel_seat TO cupola_app;

-- Whom an operator has named as a judge of appeals.
ALTER TABLE person ADD COLUMN is_judge boolean NOT NULL DEFAULT false;
