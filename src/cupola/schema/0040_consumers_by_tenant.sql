-- Consumers of events keep their place by tenant, in the transaction of their effect; what cannot be handled is set aside
-- by project; and a place means the same in another cluster.

-- A transaction's number means something only inside one cluster. The epoch is how many clusters this database has lived
-- in: a start that finds itself in another one begins the next (functions/events.sql), and events are read in the order
-- (epoch, xid, seq). The column's default is the present epoch, so that writing an event looks nothing up.
CREATE TABLE event_epoch (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch int NOT NULL CHECK (epoch >= 0),
  system bigint NOT NULL               -- the cluster's own identifier
);
INSERT INTO event_epoch (epoch, system) SELECT 0, system_identifier FROM pg_control_system();
ALTER TABLE event ADD COLUMN epoch int NOT NULL DEFAULT 0;
DROP INDEX event_tail;
CREATE INDEX event_tail ON event (epoch, xid, seq);
CREATE INDEX event_of_tenant ON event (tenant, epoch, xid, seq);

GRANT SELECT ON event_epoch TO cupola_ops, cupola_app;

-- How far a consumer has heard a tenant; its row lock makes each turn the only one. holder, until: which process is
-- taking the tenant's turns, so that what it remembers of the tenant stays true; free for all afterwards.
CREATE TABLE event_place (
  tenant uuid NOT NULL REFERENCES tenant (id),
  consumer text NOT NULL,
  epoch int NOT NULL,
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  holder uuid,
  until timestamptz NOT NULL,
  PRIMARY KEY (tenant, consumer)
) WITH (fillfactor = 50);
INSERT INTO event_place (tenant, consumer, epoch, xid, seq, at, until)
SELECT t.id, c.consumer, 0, c.xid, c.seq, c.at, c.at FROM tenant t CROSS JOIN event_cursor c
WHERE c.consumer <> 'frames';  -- what it did is a job of the consumer "orders" now

-- The earliest place that a consumer may still have to hear of any tenant: where a process begins to look.
ALTER TABLE event_cursor ADD COLUMN epoch int NOT NULL DEFAULT 0;
ALTER TABLE event_cursor ALTER COLUMN epoch DROP DEFAULT;
DELETE FROM event_cursor WHERE consumer = 'frames';

-- A project (or, as the nil uuid, what belongs to none) whose events a consumer could not handle: set aside, so that
-- the others go on, and tried again from its own place. reason: where it failed, never what the tenant's data say.
CREATE TABLE event_aside (
  tenant uuid NOT NULL REFERENCES tenant (id),
  consumer text NOT NULL,
  project uuid NOT NULL,
  epoch int NOT NULL,
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  tries int NOT NULL DEFAULT 0,
  reason text NOT NULL DEFAULT '',
  since timestamptz NOT NULL,
  next_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, consumer, project)
);
CREATE INDEX event_aside_due ON event_aside (next_at);

-- Slow work, asked for in the transaction that makes it necessary. One row is one thing to be done: asked for again
-- while it waits it is the same; while it runs, it runs once more.
CREATE TABLE job (
  tenant uuid NOT NULL REFERENCES tenant (id),
  kind text NOT NULL,
  subject uuid NOT NULL,
  asked_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  again boolean NOT NULL DEFAULT false,
  holder uuid,                         -- the process that runs it, until its lease ends
  until timestamptz,
  tries int NOT NULL DEFAULT 0,        -- begun and not ended well
  outages int NOT NULL DEFAULT 0,      -- put off because something of ours was away
  reason text NOT NULL DEFAULT '',
  failed_at timestamptz,               -- given up
  PRIMARY KEY (tenant, kind, subject)
) WITH (fillfactor = 50);
CREATE INDEX job_waiting ON job (kind, tenant, due_at) WHERE failed_at IS NULL;

-- What the queue of before held is asked for anew: all of it stands in the runs themselves.
ALTER TABLE import_run NO FORCE ROW LEVEL SECURITY;
ALTER TABLE export NO FORCE ROW LEVEL SECURITY;
INSERT INTO job (tenant, kind, subject, asked_at, due_at)
SELECT tenant, 'import', id, created_at, created_at FROM import_run WHERE state IN ('waiting', 'running');
INSERT INTO job (tenant, kind, subject, asked_at, due_at)
SELECT tenant, 'export', id, created_at, created_at FROM export WHERE state IN ('waiting', 'running');
ALTER TABLE import_run FORCE ROW LEVEL SECURITY;
ALTER TABLE export FORCE ROW LEVEL SECURITY;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['event_place', 'event_aside', 'job'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_only ON %I TO cupola_app, cupola_owner '
      'USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()))', t);
    EXECUTE format('CREATE POLICY all_tenants ON %I TO cupola_ops USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON event_place TO cupola_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON event_aside TO cupola_app;
GRANT SELECT, INSERT, UPDATE ON job TO cupola_app;
GRANT SELECT, UPDATE (until) ON event_place TO cupola_ops;
GRANT SELECT, UPDATE ON event_aside TO cupola_ops;
GRANT SELECT, UPDATE, DELETE ON job TO cupola_ops;

DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT format('%I', relname) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND starts_with(relname, 'pgqueuer')
  LOOP EXECUTE 'DROP TABLE ' || t || ' CASCADE'; END LOOP;
  FOR t IN SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND proname ~ 'pgqueuer'
  LOOP EXECUTE 'DROP FUNCTION ' || t || ' CASCADE'; END LOOP;
  FOR t IN SELECT format('%I', typname) FROM pg_type
    WHERE typnamespace = current_schema()::regnamespace AND typtype = 'e' AND starts_with(typname, 'pgqueuer')
  LOOP EXECUTE 'DROP TYPE ' || t || ' CASCADE'; END LOOP;
END $$;
