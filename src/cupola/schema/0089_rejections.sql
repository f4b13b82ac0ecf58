-- A reviewer may reject what is under review, with a reason. Where the line of stages has a fix after the review, the task
-- goes there: what was rejected is mended, by whoever made it or by somebody else; without one it is an expert's.
ALTER TABLE project DROP CONSTRAINT project_stages_check;
ALTER TABLE project ADD CONSTRAINT project_stages_check CHECK (stages[1] = 'draw' AND cardinality(stages) BETWEEN 1 AND 4
  AND array_position(stages[2:], 'draw') IS NULL AND stages <@ '{draw,review,fix}'
  AND array_to_string(stages, ' ') NOT LIKE '%draw fix%' AND array_to_string(stages, ' ') NOT LIKE '%fix fix%');

-- The review is a judgement like any other, whose label is the one that it rejects.
CREATE TABLE rejection (
  tenant uuid NOT NULL,
  judgement uuid NOT NULL,
  task uuid NOT NULL,
  project uuid NOT NULL,
  about uuid NOT NULL,                -- the judgement that was rejected
  maker uuid NOT NULL,                -- and who made it
  reason text NOT NULL CHECK (reason IN ('wrong-class', 'missing', 'too-much', 'inexact', 'guideline', 'other')),
  note text NOT NULL CHECK (length(note) <= 2000),
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, judgement),
  FOREIGN KEY (tenant, judgement) REFERENCES judgement (tenant, id),
  CHECK (reason <> 'other' OR note <> '')
);
CREATE INDEX rejection_maker ON rejection (tenant, maker, judgement DESC);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rejection FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE rejection ENABLE ROW LEVEL SECURITY;
ALTER TABLE rejection FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON rejection TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
-- as of the judgements themselves: an auditor reads nothing of what they are to judge
CREATE POLICY blind ON rejection AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task NOT IN (SELECT blind_tasks())));
-- whose work was rejected reads why
CREATE POLICY own_rows ON rejection FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND maker = (SELECT current_worker()));
GRANT SELECT, INSERT ON rejection TO cupola_app;
GRANT SELECT ON rejection TO cupola_gateway;
