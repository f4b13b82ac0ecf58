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

-- ---------------------------------------------------------------- who may work on what
-- Whether a tenant's work is meant for somebody: that of a live world is for every contributor but the guests of other
-- tenants; a test world's is for its own members and labelers.
CREATE FUNCTION work_welcome(p_tenant uuid, p_person uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT EXISTS (SELECT FROM tenant t, person p WHERE t.id = p_tenant AND p.id = p_person
    AND ((t.world = 'live' AND NOT p.is_guest)
      OR EXISTS (SELECT FROM labeler l WHERE l.tenant = p_tenant AND l.person = p_person)
      OR EXISTS (SELECT FROM membership m WHERE m.tenant = p_tenant AND m.person = p_person)))
$$;
CREATE FUNCTION work_guest() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT coalesce((SELECT is_guest FROM person WHERE id = current_person()), true)
$$;
-- The crews of a worker, by the address of the person behind the pseudonym.
CREATE FUNCTION work_crews(p_tenant uuid, p_worker uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT coalesce(array_agg(m.crew), '{}') FROM contributor c JOIN person p ON p.id = c.person
  JOIN crew_member m ON m.tenant = c.tenant AND m.email = p.email
  WHERE c.tenant = p_tenant AND c.worker = p_worker
$$;
-- Whether a worker is trained before the first page of a project: it has training, and they are new to it.
CREATE FUNCTION work_untrained(p_tenant uuid, p_project uuid, p_worker uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT EXISTS (SELECT FROM project p JOIN project t ON t.tenant = p.tenant AND t.id = p.training AND t.state = 'live'
      WHERE p.tenant = p_tenant AND p.id = p_project AND p.state = 'live')
    AND NOT EXISTS (SELECT FROM training_pass x WHERE x.tenant = p_tenant AND x.project = p_project AND x.worker = p_worker)
    AND NOT EXISTS (SELECT FROM queue_cursor q WHERE q.tenant = p_tenant AND q.project = p_project AND q.worker = p_worker
      AND q.served > 0)
$$;

-- How far a worker is in a training project. It is passed when, of the last `counted` answers (ten, or all tasks where
-- there are fewer), `needed` were right: what went wrong at first is forgotten by going on.
CREATE FUNCTION work_training(p_tenant uuid, p_project uuid, p_worker uuid)
RETURNS TABLE (tasks int, answered int, "right" int, counted int, needed int, passed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT n.tasks, n.answered, n.right, n.counted, ceil(n.counted * n.pass_share::numeric)::int,
    EXISTS (SELECT FROM training_pass x WHERE x.tenant = p_tenant AND x.project = n.trains AND x.worker = p_worker)
  FROM (SELECT p.trains, p.pass_share, c.tasks, least(c.tasks, 10) AS counted,
      (SELECT count(*)::int FROM training_answer a WHERE a.tenant = p_tenant AND a.project = p_project AND a.worker = p_worker) AS answered,
      (SELECT count(*)::int FROM (SELECT a.is_right FROM training_answer a WHERE a.tenant = p_tenant AND a.project = p_project
        AND a.worker = p_worker ORDER BY a.at DESC, a.is_right DESC LIMIT least(c.tasks, 10)) last WHERE last.is_right) AS "right"
    FROM project p CROSS JOIN LATERAL (SELECT count(*)::int AS tasks FROM task t WHERE t.tenant = p_tenant
      AND t.project = p_project AND t.gold AND t.state < 4) c
    WHERE p.tenant = p_tenant AND p.id = p_project AND p.trains IS NOT NULL) n
$$;
-- What was right in judgements that a worker made in training; nothing of anybody else's, and nothing of hidden gold.
CREATE FUNCTION work_training_expected(p_tenant uuid, p_worker uuid, p_judgements uuid[])
RETURNS TABLE (judgement uuid, label text, expected text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT j.id, j.label, g.label FROM judgement j
  JOIN project p ON p.tenant = j.tenant AND p.id = j.project AND p.trains IS NOT NULL
  JOIN gold g ON g.tenant = j.tenant AND g.task = j.task
  WHERE j.tenant = p_tenant AND j.worker = p_worker AND j.id = ANY (p_judgements)
$$;
-- Write down which of them were right, and open the project to who passed.
CREATE FUNCTION work_training_mark(p_tenant uuid, p_project uuid, p_worker uuid, p_judgements uuid[], p_right boolean[],
  p_now timestamptz)
RETURNS TABLE (tasks int, answered int, "right" int, counted int, needed int, passed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE v_new int; v_trains uuid; v_answers int; v_right int; v_counted int; v_needed int; v_passed boolean;
BEGIN
  INSERT INTO training_answer (tenant, judgement, project, worker, is_right, at)
  SELECT p_tenant, j.id, p_project, p_worker, x.is_right, p_now
  FROM unnest(p_judgements, p_right) AS x (judgement, is_right)
  JOIN judgement j ON j.tenant = p_tenant AND j.id = x.judgement AND j.project = p_project AND j.worker = p_worker
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_new = ROW_COUNT;
  SELECT w.answered, w.right, w.counted, w.needed, w.passed INTO v_answers, v_right, v_counted, v_needed, v_passed
    FROM work_training(p_tenant, p_project, p_worker) w;
  SELECT p.trains INTO STRICT v_trains FROM project p WHERE p.tenant = p_tenant AND p.id = p_project;
  IF NOT v_passed AND v_answers >= v_counted AND v_right >= v_needed THEN
    INSERT INTO training_pass (tenant, project, worker, at) VALUES (p_tenant, v_trains, p_worker, p_now) ON CONFLICT DO NOTHING;
    v_passed := true;
  END IF;
  IF v_new > 0 THEN
    PERFORM event_append(p_tenant, 'training.judged', p_project, v_trains, jsonb_build_object('answers', v_new, 'passed', v_passed), p_now);
  END IF;
  RETURN QUERY SELECT * FROM work_training(p_tenant, p_project, p_worker);
END $$;

-- ---------------------------------------------------------------- the verbs of work, as of 0002, with these rules
CREATE OR REPLACE FUNCTION work_claim(p_tenant uuid, p_project uuid, p_worker uuid, p_tasks int, p_assignment uuid, p_hold uuid,
  p_idem text, p_dice double precision, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_project project;
  v_offer offer;
  v_have uuid;
  v_cursor queue_cursor;
  v_n int;
  v_want int;
  v_gold_n int;
  v_tasks uuid[] := '{}';
  v_more uuid[];
  v_golds uuid[] := '{}';
  v_crews uuid[] := '{}';
  v_rank bigint;
  v_fee bigint;
  v_insurance bigint;
  v_each bigint;
  v_budget uuid;
  v_balance bigint;
  v_slot int;
  v_escrow uuid;
  v_event bigint;
BEGIN
  IF p_idem IS NOT NULL THEN
    v_have := work_claimed(p_tenant, p_project, p_worker, p_idem);
    IF v_have IS NOT NULL THEN RETURN v_have; END IF;
  END IF;
  SELECT * INTO v_project FROM project WHERE tenant = p_tenant AND id = p_project;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such project' USING ERRCODE = 'no_data_found'; END IF;
  IF v_project.state <> 'live' THEN RAISE EXCEPTION 'project-not-live' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  -- somebody who was trained, or has worked here before there was training, is not trained (again)
  IF v_project.trains IS NOT NULL AND NOT work_untrained(p_tenant, v_project.trains, p_worker) THEN RETURN NULL; END IF;
  IF v_project.training IS NOT NULL AND work_untrained(p_tenant, p_project, p_worker) THEN
    RAISE EXCEPTION 'training-first' USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = v_project.training;
  END IF;
  IF v_project.crewed THEN v_crews := work_crews(p_tenant, p_worker); END IF;
  -- an offer with a later date is a notice, not yet a price
  SELECT * INTO STRICT v_offer FROM offer WHERE tenant = p_tenant AND project = p_project AND effective_at <= p_now
    ORDER BY version DESC LIMIT 1;
  v_fee := (v_offer.price_minor * v_offer.fee_bp + 5000) / 10000;  -- rounded half up, as in kernel.money
  v_insurance := (v_offer.price_minor * v_offer.insurance_bp + 5000) / 10000;
  v_each := v_offer.price_minor + v_fee + v_insurance;

  -- what the budget carries; the balance check of the account has the last word
  v_budget := account_id(p_tenant, 'project_budget', p_project, NULL, 0, v_offer.currency);
  SELECT balance_minor INTO v_balance FROM account WHERE tenant = p_tenant AND id = v_budget;
  v_n := least(p_tasks, v_project.page_size, coalesce(v_balance, 0) / v_each);
  IF v_n < 1 THEN RAISE EXCEPTION 'budget-exhausted' USING ERRCODE = 'insufficient_resources'; END IF;

  -- the same worker claims one page at a time in a project: this row is the lock
  INSERT INTO queue_cursor (tenant, project, worker, rank, epoch) VALUES (p_tenant, p_project, p_worker, -1, v_project.queue_epoch)
    ON CONFLICT (tenant, project, worker) DO NOTHING;
  SELECT * INTO v_cursor FROM queue_cursor WHERE tenant = p_tenant AND project = p_project AND worker = p_worker FOR UPDATE;
  IF v_cursor.epoch <> v_project.queue_epoch THEN v_cursor.rank := -1; END IF;
  IF p_idem IS NOT NULL THEN
    v_have := work_claimed(p_tenant, p_project, p_worker, p_idem);  -- a retry that waited here for the first one
    IF v_have IS NOT NULL THEN RETURN v_have; END IF;
  END IF;

  -- training is all gold: every answer is known, and told after the submit
  IF v_project.trains IS NOT NULL THEN
    SELECT coalesce(array_agg(id), '{}') INTO v_golds FROM (
      SELECT t.id FROM task t WHERE t.tenant = p_tenant AND t.project = p_project AND t.gold AND t.state < 4
        AND (t.crew IS NULL OR t.crew = ANY (v_crews))
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_n) g;
  -- gold: a newcomer meets one in three until ten are seen, then their own rate or the plan's
  ELSIF v_project.gold_rate > 0 THEN
    v_gold_n := floor(v_n * CASE WHEN v_cursor.gold_served < 10 THEN greatest(v_project.gold_rate, 0.34)
      ELSE coalesce(v_cursor.gold_rate, v_project.gold_rate) END
      + p_dice)::int;
    IF v_gold_n > 0 THEN
      SELECT coalesce(array_agg(id), '{}') INTO v_golds FROM (
        SELECT t.id FROM task t WHERE t.tenant = p_tenant AND t.project = p_project AND t.gold AND t.state < 4
          AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
          AND (v_project.routing = 'open' OR EXISTS (SELECT FROM invite i WHERE i.tenant = p_tenant AND i.task = t.id AND i.worker = p_worker))
        ORDER BY md5(t.id::text || p_worker::text) LIMIT v_gold_n) g;
    END IF;
  END IF;
  v_want := v_n - cardinality(v_golds);

  -- work of theirs that outlived its lease comes back first
  IF v_project.trains IS NOT NULL THEN v_want := 0; END IF;
  IF v_want > 0 AND EXISTS (SELECT FROM draft WHERE tenant = p_tenant AND worker = p_worker AND parked) THEN
    SELECT coalesce(array_agg(id), '{}') INTO v_tasks FROM (
      SELECT t.id FROM draft d JOIN task t ON t.tenant = p_tenant AND t.id = d.task
      WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.parked AND t.project = p_project AND t.open_slots > 0
        AND (t.crew IS NULL OR t.crew = ANY (v_crews))
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    v_want := v_want - cardinality(v_tasks);
  END IF;

  IF v_want > 0 AND v_project.routing = 'directed' THEN
    SELECT coalesce(array_agg(id), '{}') INTO v_more FROM (
      SELECT t.id FROM invite i JOIN task t ON t.tenant = p_tenant AND t.id = i.task
      WHERE i.tenant = p_tenant AND i.project = p_project AND i.worker = p_worker AND i.state = 1 AND t.open_slots > 0
        AND t.id <> ALL (v_tasks) AND (t.crew IS NULL OR t.crew = ANY (v_crews))
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    v_tasks := v_tasks || v_more;
  ELSIF v_want > 0 THEN
    -- from the cursor on, then once more from the start: nobody walks twice over what they have done
    SELECT coalesce(array_agg(id), '{}'), max(rank) INTO v_more, v_rank FROM (
      SELECT t.id, t.rank FROM task t
      WHERE t.tenant = p_tenant AND t.project = p_project AND t.open_slots > 0 AND t.rank > v_cursor.rank AND t.id <> ALL (v_tasks)
        AND (t.crew IS NULL OR t.crew = ANY (v_crews))
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    v_tasks := v_tasks || v_more;
    v_want := v_want - cardinality(v_more);
    IF v_want > 0 AND v_cursor.rank >= 0 THEN
      SELECT coalesce(array_agg(id), '{}'), max(rank) INTO v_more, v_rank FROM (
        SELECT t.id, t.rank FROM task t
        WHERE t.tenant = p_tenant AND t.project = p_project AND t.open_slots > 0 AND t.rank <= v_cursor.rank AND t.id <> ALL (v_tasks)
          AND (t.crew IS NULL OR t.crew = ANY (v_crews))
          AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
        ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
      v_tasks := v_tasks || v_more;
    END IF;
  END IF;

  -- gold is only ever mixed in, so that a page of nothing but gold does not give it away; training hides nothing
  IF cardinality(v_tasks) = 0 AND v_project.trains IS NULL THEN RETURN NULL; END IF;
  v_n := cardinality(v_tasks) + cardinality(v_golds);
  IF v_n = 0 THEN RETURN NULL; END IF;

  UPDATE queue_cursor SET rank = coalesce(v_rank, rank), epoch = v_project.queue_epoch,
    served = served + v_n, gold_served = gold_served + cardinality(v_golds)
    WHERE tenant = p_tenant AND project = p_project AND worker = p_worker;
  UPDATE task SET open_slots = open_slots - 1, leased = leased + 1, state = greatest(state, 1::smallint)
    WHERE tenant = p_tenant AND id = ANY (v_tasks);
  IF v_project.routing = 'directed' THEN
    UPDATE invite SET state = 2 WHERE tenant = p_tenant AND worker = p_worker AND task = ANY (v_tasks || v_golds);
  END IF;

  -- money last: the budget row is everybody's, so it is locked for the shortest time
  v_slot := abs(hashtext(p_worker::text)) % 16;
  v_escrow := account_open(p_tenant, 'escrow', p_project, NULL, v_slot, v_offer.currency, p_now);
  PERFORM account_open(p_tenant, 'worker', NULL, p_worker, 0, v_offer.currency, p_now);
  v_event := event_append(p_tenant, 'assignment.claimed', p_assignment, p_project, jsonb_build_object('tasks', v_n), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[p_hold], ARRAY[p_hold], ARRAY['hold'], ARRAY[v_budget], ARRAY[v_escrow],
    ARRAY[v_n * v_each], p_assignment, v_offer.version, v_event, p_now);
  INSERT INTO assignment (tenant, id, project, worker, offer_version, price_minor, fee_minor, insurance_minor, currency, slot,
    tasks, open, hold, idem, claimed_at, expires_at, heartbeat_at)
  VALUES (p_tenant, p_assignment, p_project, p_worker, v_offer.version, v_offer.price_minor, v_fee, v_insurance, v_offer.currency,
    v_slot, v_n, v_n, p_hold, p_idem, p_now, p_now + make_interval(secs => v_project.lease_s), p_now);
  INSERT INTO lease (tenant, assignment, task, worker, project, position, gold, hold_minor)
  SELECT p_tenant, p_assignment, x.task, p_worker, p_project,
    row_number() OVER (ORDER BY md5(x.task::text || p_assignment::text)) - 1, x.gold, v_each
  FROM (SELECT unnest(v_tasks) AS task, false AS gold UNION ALL SELECT unnest(v_golds), true) x;
  RETURN p_assignment;
END $$;

-- The page, for whom the tenant's work is meant.
CREATE OR REPLACE FUNCTION work_claim_page(p_tenant uuid, p_project uuid, p_worker uuid, p_person uuid, p_admit boolean, p_tasks int,
  p_assignment uuid, p_hold uuid, p_idem text, p_dice double precision, p_now timestamptz)
RETURNS TABLE (assignment uuid, project_name text, kind text, ontology_version uuid, fence bigint, page_state smallint,
  offer_version int, price_minor bigint, currency text, claimed_at timestamptz, expires_at timestamptz,
  task uuid, "position" smallint, state smallint, item uuid, ref text, media_type text, asset bytea, url text, body text,
  width_px int, height_px int, thumb bytea, metadata text, pre_label text, draft text, draft_rev int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE v_page uuid;
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  IF NOT work_welcome(p_tenant, p_person) THEN RAISE EXCEPTION 'no such project' USING ERRCODE = 'no_data_found'; END IF;
  IF p_admit THEN PERFORM work_admit(p_tenant, p_worker, p_person, p_now); END IF;
  v_page := work_claim(p_tenant, p_project, p_worker, p_tasks, p_assignment, p_hold, p_idem, p_dice, p_now);
  IF v_page IS NULL THEN RETURN; END IF;
  RETURN QUERY
    SELECT a.id, p.name, p.kind, p.ontology_version, a.fence, a.state, a.offer_version, a.price_minor, a.currency, a.claimed_at,
      a.expires_at, w.*
    FROM assignment a JOIN project p ON p.tenant = a.tenant AND p.id = a.project
    CROSS JOIN LATERAL work_page(p_tenant, p_worker, v_page) w
    WHERE a.tenant = p_tenant AND a.id = v_page ORDER BY w."position";
END $$;

-- What is on offer, for this worker: tasks of their crews, training while they are new, and no page before it.
CREATE OR REPLACE FUNCTION work_on_offer(p_tenant uuid, p_project uuid, p_worker uuid)
RETURNS TABLE (available bigint, median_s double precision, p75_s double precision, timed bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_project project;
  v_crews uuid[] := '{}';
  v_available bigint := 0;
BEGIN
  SELECT * INTO v_project FROM project WHERE tenant = p_tenant AND id = p_project;
  IF v_project.crewed THEN v_crews := work_crews(p_tenant, p_worker); END IF;
  IF v_project.trains IS NOT NULL THEN
    IF work_untrained(p_tenant, v_project.trains, p_worker) THEN
      SELECT count(*) INTO v_available FROM task t WHERE t.tenant = p_tenant AND t.project = p_project AND t.gold AND t.state < 4
        AND (t.crew IS NULL OR t.crew = ANY (v_crews))
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2));
    END IF;
  ELSIF v_project.training IS NULL OR NOT work_untrained(p_tenant, p_project, p_worker) THEN
    SELECT count(*) INTO v_available FROM (SELECT 1 FROM task t WHERE t.tenant = p_tenant AND t.project = p_project AND t.open_slots > 0
      AND (t.crew IS NULL OR t.crew = ANY (v_crews))
      AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      AND (v_project.routing <> 'directed'
        OR EXISTS (SELECT FROM invite i WHERE i.tenant = p_tenant AND i.task = t.id AND i.worker = p_worker AND i.state = 1))
      LIMIT 1000) q;
  END IF;
  RETURN QUERY SELECT v_available, percentile_cont(0.5) WITHIN GROUP (ORDER BY j.seconds),
    percentile_cont(0.75) WITHIN GROUP (ORDER BY j.seconds), count(j.seconds)
  FROM (SELECT seconds FROM judgement WHERE tenant = p_tenant AND project = p_project ORDER BY id DESC LIMIT 1000) j;
END $$;

REVOKE EXECUTE ON FUNCTION work_welcome, work_guest, work_crews, work_untrained, work_training, work_training_expected,
  work_training_mark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work_guest, work_training, work_training_expected, work_training_mark TO cupola_gateway;
