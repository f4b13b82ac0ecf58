-- What people wait for is counted in the transaction that changes it: a look at a list reads a few sums, however much there is.
-- A row is a difference, so that two writers never wait for each other; a subject's rows are folded into one now and then.
CREATE TABLE tally (
  tenant uuid NOT NULL REFERENCES tenant (id),
  subject uuid NOT NULL,              -- a project or a dataset
  n bigint GENERATED ALWAYS AS IDENTITY,
  tasks_open bigint NOT NULL DEFAULT 0,       -- tasks by state, without gold
  tasks_collecting bigint NOT NULL DEFAULT 0,
  tasks_escalated bigint NOT NULL DEFAULT 0,
  tasks_settled bigint NOT NULL DEFAULT 0,
  tasks_cancelled bigint NOT NULL DEFAULT 0,
  tasks_gold bigint NOT NULL DEFAULT 0,
  judgements bigint NOT NULL DEFAULT 0,
  spent_minor bigint NOT NULL DEFAULT 0,      -- pay, fee and insurance of the judgements
  items bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, subject, n)
);
ALTER TABLE task NO FORCE ROW LEVEL SECURITY;
ALTER TABLE judgement NO FORCE ROW LEVEL SECURITY;
ALTER TABLE assignment NO FORCE ROW LEVEL SECURITY;
ALTER TABLE item NO FORCE ROW LEVEL SECURITY;
INSERT INTO tally (tenant, subject, tasks_open, tasks_collecting, tasks_escalated, tasks_settled, tasks_cancelled, tasks_gold)
SELECT tenant, project, count(*) FILTER (WHERE state = 0 AND NOT gold), count(*) FILTER (WHERE state = 1 AND NOT gold),
  count(*) FILTER (WHERE state = 2 AND NOT gold), count(*) FILTER (WHERE state = 3 AND NOT gold),
  count(*) FILTER (WHERE state = 4 AND NOT gold), count(*) FILTER (WHERE gold) FROM task GROUP BY tenant, project;
INSERT INTO tally (tenant, subject, judgements, spent_minor)
SELECT j.tenant, j.project, count(*), sum(j.price_minor + a.fee_minor + a.insurance_minor)
FROM judgement j JOIN assignment a ON a.tenant = j.tenant AND a.id = j.assignment GROUP BY j.tenant, j.project;
INSERT INTO tally (tenant, subject, items) SELECT tenant, dataset, count(*) FROM item GROUP BY tenant, dataset;
ALTER TABLE task FORCE ROW LEVEL SECURITY;
ALTER TABLE judgement FORCE ROW LEVEL SECURITY;
ALTER TABLE assignment FORCE ROW LEVEL SECURITY;
ALTER TABLE item FORCE ROW LEVEL SECURITY;

ALTER TABLE tally ENABLE ROW LEVEL SECURITY;
ALTER TABLE tally FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON tally TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
CREATE POLICY all_counts ON tally FOR SELECT TO cupola_ops USING (true);
GRANT SELECT, INSERT ON tally TO cupola_app;
GRANT SELECT (tenant, subject) ON tally TO cupola_ops;

CREATE TRIGGER counted_new AFTER INSERT ON task REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION task_counted_new();
CREATE TRIGGER counted AFTER UPDATE ON task REFERENCING OLD TABLE AS was_rows NEW TABLE AS now_rows FOR EACH STATEMENT
  EXECUTE FUNCTION task_counted();
CREATE TRIGGER counted_new AFTER INSERT ON item REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION item_counted();

-- the list of tasks in one state
CREATE INDEX task_in_state ON task (tenant, project, state, rank);
-- the heartbeat asks when somebody last did something: the tables know (functions/leases.sql)
ALTER TABLE queue_cursor DROP COLUMN worked_at;
