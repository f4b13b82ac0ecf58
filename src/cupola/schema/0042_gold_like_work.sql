-- Gold that cannot be told from work (schema/functions/gold.sql says how).

-- drawn by a random key, so that a draw reads what it takes
ALTER TABLE task ADD COLUMN gold_key uuid;
ALTER TABLE task NO FORCE ROW LEVEL SECURITY;
UPDATE task SET gold_key = md5(uuidv7()::text)::uuid WHERE gold;
ALTER TABLE task FORCE ROW LEVEL SECURITY;
ALTER TABLE task ADD CONSTRAINT task_gold_key CHECK (NOT gold OR gold_key IS NOT NULL);
CREATE INDEX task_gold_draw ON task (tenant, project, gold_key) WHERE gold;
CREATE TRIGGER gold_key BEFORE INSERT OR UPDATE ON task FOR EACH ROW WHEN (NEW.gold AND NEW.gold_key IS NULL)
  EXECUTE FUNCTION gold_key_given();
-- where gold stands in everybody's row of tasks
ALTER TABLE project ADD COLUMN gold_seed bigint NOT NULL DEFAULT hashtextextended(uuidv7()::text, 0);
-- place: how far somebody is in their row; gold_at: the key of the last gold they met; gold_done: they met all of them
ALTER TABLE queue_cursor ADD COLUMN place int NOT NULL DEFAULT 0;
ALTER TABLE queue_cursor ADD COLUMN gold_at uuid NOT NULL DEFAULT md5(uuidv7()::text)::uuid;
ALTER TABLE queue_cursor ADD COLUMN gold_done boolean NOT NULL DEFAULT false;
-- when they last did something here: a page is kept for who works, not for an open tab
ALTER TABLE queue_cursor ADD COLUMN worked_at timestamptz;
-- what expired with somebody comes back to them first
CREATE INDEX lease_expired ON lease (tenant, worker, project) WHERE state = 3;

-- Directed routing: 3 is an invitation that nobody answered; the next is asked. Whoever is named may be asked before they
-- were ever here.
ALTER TABLE invite DROP CONSTRAINT invite_state_check;
ALTER TABLE invite ADD CONSTRAINT invite_state_check CHECK (state BETWEEN 0 AND 3);
ALTER TABLE invite DROP CONSTRAINT invite_tenant_worker_fkey;
ALTER TABLE invite ADD COLUMN asked_at timestamptz;
CREATE INDEX invite_unanswered ON invite (asked_at) WHERE state = 1;
CREATE POLICY all_due ON invite FOR SELECT TO cupola_ops USING (true);
GRANT SELECT (tenant, project, task, worker, state, asked_at) ON invite TO cupola_ops;

-- The contributors' side never reads which of its tasks are gold, nor what decides it.
DO $$
DECLARE t text; hidden text[] := ARRAY['gold', 'gold_seed', 'gold_rate', 'pass_share'];
BEGIN
  FOREACH t IN ARRAY ARRAY['lease', 'judgement', 'project'] LOOP
    EXECUTE format('REVOKE SELECT ON %I FROM cupola_gateway', t);
    EXECUTE (SELECT format('GRANT SELECT (%s) ON %I TO cupola_gateway', string_agg(quote_ident(attname), ', '), t)
      FROM pg_attribute WHERE attrelid = t::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL (hidden));
  END LOOP;
END $$;
