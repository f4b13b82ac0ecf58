-- A project is a line of stages: what the first one draws, each later one reviews. Each stage has its own price, and a task
-- waits at one of them. A review is a judgement about a judgement.
ALTER TABLE project ADD COLUMN stages text[] NOT NULL DEFAULT '{draw}' CHECK (stages[1] = 'draw' AND cardinality(stages) BETWEEN 1 AND 4
  AND array_position(stages[2:], 'draw') IS NULL AND stages <@ '{draw,review}');
ALTER TABLE offer ADD COLUMN stage smallint NOT NULL DEFAULT 0 CHECK (stage BETWEEN 0 AND 3);
-- about: the judgement that is under review
ALTER TABLE task ADD COLUMN stage smallint NOT NULL DEFAULT 0 CHECK (stage BETWEEN 0 AND 3);
ALTER TABLE task ADD COLUMN about uuid CHECK ((stage = 0) = (about IS NULL));
ALTER TABLE assignment ADD COLUMN stage smallint NOT NULL DEFAULT 0;
ALTER TABLE lease ADD COLUMN stage smallint NOT NULL DEFAULT 0;
ALTER TABLE judgement ADD COLUMN stage smallint NOT NULL DEFAULT 0;
ALTER TABLE judgement ADD COLUMN about uuid CHECK ((stage = 0) = (about IS NULL));
ALTER TABLE queue_cursor ADD COLUMN stage smallint NOT NULL DEFAULT 0;

-- one person, one task, one time at each stage
DROP INDEX lease_once;
CREATE UNIQUE INDEX lease_once ON lease (tenant, worker, task, stage) WHERE state IN (0, 1, 2);
ALTER TABLE judgement DROP CONSTRAINT judgement_tenant_task_worker_key;
ALTER TABLE judgement ADD UNIQUE (tenant, task, worker, stage);
ALTER TABLE queue_cursor DROP CONSTRAINT queue_cursor_pkey;
ALTER TABLE queue_cursor ADD PRIMARY KEY (tenant, project, worker, stage);

-- what a reviewer left stands
ALTER TABLE settlement DROP CONSTRAINT settlement_how_check;
ALTER TABLE settlement ADD CONSTRAINT settlement_how_check CHECK (how IN ('crowd', 'adjudicated', 'undecidable', 'reviewed'));
GRANT SELECT (stage) ON lease TO cupola_gateway;
GRANT SELECT (stage, about) ON judgement TO cupola_gateway;
GRANT SELECT (stages) ON project TO cupola_gateway;
