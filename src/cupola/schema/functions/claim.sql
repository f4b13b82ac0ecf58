-- The page that was claimed under a key, or NULL; a key that was used for another project is refused.
CREATE OR REPLACE FUNCTION work_claimed(p_tenant uuid, p_project uuid, p_worker uuid, p_idem text)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_have assignment;
BEGIN
  SELECT * INTO v_have FROM assignment WHERE tenant = p_tenant AND worker = p_worker AND idem = p_idem;
  IF v_have.project <> p_project THEN
    RAISE EXCEPTION 'idempotency-key-reused' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN v_have.id;
END $$;

-- Which tasks a page of p_n is made of: what expired with its worker, then the next places of their row, each gold or the next
-- of the queue. It ends with the last task of work there is for them: gold never stands at the end of a row.
CREATE OR REPLACE FUNCTION work_choose(p_project project, p_cursor queue_cursor, p_n int, p_crews uuid[])
RETURNS TABLE (tasks uuid[], golds uuid[], fresh int, rank bigint, gold_at uuid, gold_done boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_tenant uuid := p_project.tenant;
  v_worker uuid := p_cursor.worker;
  v_directed boolean := p_project.routing = 'directed';
  v_rate real := CASE WHEN p_project.gold_rate > 0 AND p_cursor.stage = 0 THEN coalesce(p_cursor.gold_rate, p_project.gold_rate) ELSE 0 END;
  v_past uuid[] := work_past(p_project.tenant, p_project.id, p_cursor.worker, p_cursor.stage);
  v_places int[];
  v_drawn uuid[] := '{}';
  v_keys uuid[] := '{}';
  v_back uuid[] := '{}';
  v_back_gold uuid[] := '{}';
  v_work uuid[] := '{}';
  v_more uuid[];
  v_want int;
  v_last int;
  v_rank bigint;
BEGIN
  IF cardinality(v_past) > 0 THEN
    SELECT coalesce(array_agg(b.task) FILTER (WHERE NOT b.gold), '{}'), coalesce(array_agg(b.task) FILTER (WHERE b.gold), '{}')
      INTO v_back, v_back_gold FROM (
        SELECT r.task, r.gold FROM (SELECT b.task, b.gold, row_number() OVER w AS n,
            sum(coalesce(label_bytes(d.label)
              + (SELECT coalesce(sum(octet_length(x)), 0) FROM unnest(d.patches) x), 0)) OVER w AS bytes FROM work_back(v_tenant, p_project.id, v_worker, v_directed, p_crews,
            work_open(p_project, v_worker, p_crews, v_past, 1, p_cursor.stage) > 0, p_cursor.rank, p_project.min_judgements,
            p_cursor.stage) b
        LEFT JOIN draft d ON d.tenant = v_tenant AND d.worker = v_worker AND d.task = b.task
          WINDOW w AS (ORDER BY d.task IS NULL, md5(b.task::text || v_worker::text))) r  -- what was begun, first,
        -- as far as its drafts fit into one answer
        WHERE r.n = 1 OR r.n <= p_n AND r.bytes <= 16777216) b;
    SELECT coalesce(array_agg(q.id), '{}') INTO v_back FROM (  -- held now, if nobody was quicker
      SELECT t.id FROM task t WHERE t.tenant = v_tenant AND t.id = ANY (v_back) AND t.open_slots > 0
      FOR NO KEY UPDATE SKIP LOCKED) q;
  END IF;
  fresh := p_n - cardinality(v_back) - cardinality(v_back_gold);
  v_places := CASE WHEN v_rate > 0 AND NOT p_cursor.gold_done
    THEN gold_places(p_project.gold_seed, v_worker, p_cursor.place, fresh, v_rate) ELSE '{}' END;
  gold_done := p_cursor.gold_done;
  IF cardinality(v_places) > 0 THEN
    SELECT coalesce(array_agg(d.task), '{}'), coalesce(array_agg(d.key), '{}') INTO v_drawn, v_keys
      FROM gold_draw(v_tenant, p_project.id, v_worker, v_directed, p_crews, v_past, p_cursor.gold_at, cardinality(v_places)) d;
    gold_done := cardinality(v_drawn) < cardinality(v_places);
    v_places := v_places[1:cardinality(v_drawn)];  -- where no gold is left there is work
  END IF;
  v_want := fresh - cardinality(v_places);

  IF v_want > 0 AND v_directed THEN
    SELECT coalesce(array_agg(q.id), '{}') INTO v_work FROM (
      SELECT t.id FROM invite i JOIN task t ON t.tenant = v_tenant AND t.id = i.task
        CROSS JOIN LATERAL work_may(v_tenant, v_worker, t.id, t.crew, p_crews, v_past, true, true, p_cursor.stage)
      WHERE i.tenant = v_tenant AND i.project = p_project.id AND i.worker = v_worker AND i.state = {invite.asked}
        AND t.open_slots > 0 AND t.stage = p_cursor.stage
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
  ELSIF v_want > 0 THEN
    -- from the cursor on, then once more from the start: nobody walks twice over what they have done
    SELECT coalesce(array_agg(q.id), '{}'), max(q.rank) INTO v_work, v_rank FROM (
      SELECT t.id, t.rank FROM task t, work_may(v_tenant, v_worker, t.id, t.crew, p_crews, v_past, false, true, p_cursor.stage)
      WHERE t.tenant = v_tenant AND t.project = p_project.id AND t.open_slots > 0 AND t.rank > p_cursor.rank
        AND t.stage = p_cursor.stage
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    IF cardinality(v_work) < v_want AND p_cursor.rank >= 0 THEN
      SELECT coalesce(array_agg(q.id), '{}'), max(q.rank) INTO v_more, v_rank FROM (
        SELECT t.id, t.rank FROM task t, work_may(v_tenant, v_worker, t.id, t.crew, p_crews, v_past, false, true, p_cursor.stage)
        WHERE t.tenant = v_tenant AND t.project = p_project.id AND t.open_slots > 0 AND t.rank <= p_cursor.rank
          AND t.stage = p_cursor.stage
        ORDER BY t.rank LIMIT v_want - cardinality(v_work) FOR NO KEY UPDATE OF t SKIP LOCKED) q;
      v_work := v_work || v_more;
    END IF;
  END IF;

  -- the row ends with its last task of work: what stands behind it is served only while there is more
  IF cardinality(v_places) > 0 OR cardinality(v_work) < v_want THEN
    SELECT coalesce(max(w.n), 0) INTO v_last FROM (
      SELECT n, row_number() OVER (ORDER BY n) AS nth FROM generate_series(1, fresh) n WHERE n <> ALL (v_places)) w
      WHERE w.nth <= cardinality(v_work);
    IF cardinality(v_work) < v_want OR v_last < fresh
      AND work_open(p_project, v_worker, p_crews, v_past, cardinality(v_work) + 1, p_cursor.stage) <= cardinality(v_work) THEN
      fresh := v_last;
      v_places := ARRAY(SELECT n FROM unnest(v_places) n WHERE n < v_last);
    END IF;
  END IF;
  tasks := v_back || v_work;
  golds := v_back_gold || v_drawn[1:cardinality(v_places)];
  rank := v_rank;
  gold_at := coalesce(v_keys[cardinality(v_places)], p_cursor.gold_at);
  RETURN NEXT;
END $$;

-- Of how many of these tasks any choice fits into p_max_bytes, the heaviest counted first; one always does.
CREATE OR REPLACE FUNCTION page_fits(p_tenant uuid, p_stage smallint, p_tasks uuid[], p_max_bytes bigint) RETURNS int
LANGUAGE sql STABLE AS $$
  SELECT greatest(1, count(*) FILTER (WHERE w.bytes <= p_max_bytes))::int FROM (
    SELECT sum(x.bytes) OVER (ORDER BY x.bytes DESC ROWS UNBOUNDED PRECEDING) AS bytes FROM (
      SELECT item_bytes(i) + CASE WHEN p_stage > 0 THEN coalesce(label_bytes(a.label), 0) ELSE 0 END AS bytes
      FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item
      LEFT JOIN judgement a ON a.tenant = t.tenant AND a.id = t.about
      WHERE t.tenant = p_tenant AND t.id = ANY (p_tasks)) x) w
$$;

-- Claim a page: choose tasks, reserve their money, lease them. Returns the assignment, or NULL when there is nothing for this
-- worker.
CREATE OR REPLACE FUNCTION work_claim(p_tenant uuid, p_project uuid, p_stage smallint, p_worker uuid, p_person uuid, p_tasks int,
  p_max_bytes bigint, p_assignment uuid, p_hold uuid, p_idem text, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_project project;
  v_offer offer;
  v_have uuid;
  v_cursor queue_cursor;
  v_n int;
  v_crews uuid[] := '{}';
  v_past uuid[];
  v_directed boolean;
  v_tasks uuid[] := '{}';
  v_golds uuid[] := '{}';
  v_fresh int := 0;
  v_rank bigint;
  v_gold_at uuid;
  v_gold_done boolean;
  v_exam uuid[];
  v_fits int;
  v_fee bigint;
  v_insurance bigint;
  v_each bigint;
  v_budget uuid;
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
  IF p_stage >= cardinality(v_project.stages) THEN RAISE EXCEPTION 'no such stage' USING ERRCODE = 'no_data_found'; END IF;
  IF v_project.state <> 'live' THEN RAISE EXCEPTION 'project-not-live' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  -- somebody who was trained, or has worked here before there was training, is not trained (again)
  IF v_project.trains IS NOT NULL AND NOT work_untrained(p_tenant, v_project.trains, p_worker) THEN RETURN NULL; END IF;
  IF v_project.training IS NOT NULL AND work_untrained(p_tenant, p_project, p_worker) THEN
    RAISE EXCEPTION 'training-first' USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = v_project.training;
  END IF;
  IF NOT may_qualified(v_project, p_person, p_worker, p_now) THEN
    RAISE EXCEPTION 'not-eligible' USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = v_project.eligible;
  END IF;
  v_directed := v_project.routing = 'directed';
  IF v_project.crewed THEN v_crews := work_crews(p_tenant, p_person); END IF;
  SELECT * INTO STRICT v_offer FROM offer_in_force(p_tenant, p_project, p_stage, p_now);
  v_fee := (v_offer.price_minor * v_offer.fee_bp + 5000) / 10000;  -- rounded half up, as in kernel.money
  v_insurance := (v_offer.price_minor * v_offer.insurance_bp + 5000) / 10000;
  v_each := v_offer.price_minor + v_fee + v_insurance;

  -- what the budget carries; the balance check of the account has the last word
  v_budget := account_id(p_tenant, 'project_budget', p_project, NULL, 0, v_offer.currency);
  v_n := least(p_tasks, v_project.page_size, budget_carries(p_tenant, p_project, v_offer));
  IF v_n < 1 THEN RAISE EXCEPTION 'budget-exhausted' USING ERRCODE = 'insufficient_resources'; END IF;

  -- the same worker claims one page at a time in a project: this row is the lock
  SELECT * INTO v_cursor FROM queue_cursor WHERE tenant = p_tenant AND project = p_project AND worker = p_worker AND stage = p_stage
    FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO queue_cursor (tenant, project, worker, stage, rank, epoch)
      VALUES (p_tenant, p_project, p_worker, p_stage, -1, v_project.queue_epoch)
      ON CONFLICT (tenant, project, worker, stage) DO NOTHING;
    SELECT * INTO v_cursor FROM queue_cursor WHERE tenant = p_tenant AND project = p_project AND worker = p_worker AND stage = p_stage
      FOR UPDATE;
  END IF;
  IF v_cursor.epoch <> v_project.queue_epoch THEN v_cursor.rank := -1; v_cursor.gold_done := false; END IF;
  IF p_idem IS NOT NULL THEN
    v_have := work_claimed(p_tenant, p_project, p_worker, p_idem);  -- a retry that waited here for the first one
    IF v_have IS NOT NULL THEN RETURN v_have; END IF;
  END IF;
  v_n := least(v_n, may_hold(p_tenant, v_project, p_worker));
  IF v_n < 1 THEN RAISE EXCEPTION 'holds-enough' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;

  LOOP
    -- training is all gold: every answer is known, and told after the submit
    IF v_project.trains IS NOT NULL THEN
      SELECT coalesce(array_agg(id), '{}') INTO v_golds FROM (
        SELECT t.id FROM task t, work_may(p_tenant, p_worker, t.id, t.crew, v_crews, '{}', v_directed, false, 0::smallint)
        WHERE t.tenant = p_tenant AND t.project = p_project AND t.gold AND t.state < {task.cancelled} ORDER BY t.rank LIMIT v_n) g;
    ELSIF v_project.is_exam THEN  -- one attempt is one page, whatever size was asked for
      IF v_exam IS NULL THEN
        v_exam := exam_draw(v_project, p_worker, budget_carries(p_tenant, p_project, v_offer), p_now);
        v_n := cardinality(v_exam);
      END IF;
      v_golds := coalesce(v_exam[1:v_n], '{}');
    ELSE
      SELECT c.tasks, c.golds, c.fresh, c.rank, c.gold_at, c.gold_done
        INTO v_tasks, v_golds, v_fresh, v_rank, v_gold_at, v_gold_done
        FROM work_choose(v_project, v_cursor, v_n, v_crews) c;
    END IF;
    v_n := cardinality(v_tasks) + cardinality(v_golds);
    -- what is under review may be heavy whatever the items are
    EXIT WHEN v_n < 2 OR v_project.heaviest_bytes * v_n <= p_max_bytes AND p_stage = 0;
    v_fits := page_fits(p_tenant, p_stage, v_tasks || v_golds, p_max_bytes);
    EXIT WHEN v_fits >= v_n;
    v_n := v_fits;  -- chosen again from the same place, so that what is left out comes next
  END LOOP;
  IF v_n = 0 THEN RETURN NULL; END IF;

  UPDATE queue_cursor SET rank = coalesce(v_rank, rank), epoch = v_project.queue_epoch, served = served + v_n,
    gold_served = gold_served + cardinality(v_golds), place = place + v_fresh, gold_at = coalesce(v_gold_at, v_cursor.gold_at),
    gold_done = coalesce(v_gold_done, v_cursor.gold_done)
    WHERE tenant = p_tenant AND project = p_project AND worker = p_worker AND stage = p_stage;
  UPDATE task SET open_slots = open_slots - 1, leased = leased + 1, state = greatest(state, {task.collecting}::smallint)
    WHERE tenant = p_tenant AND id = ANY (v_tasks);
  IF v_directed THEN
    UPDATE invite SET state = {invite.answered} WHERE tenant = p_tenant AND worker = p_worker AND task = ANY (v_tasks || v_golds);
  END IF;

  -- money last: the budget row is everybody's, so it is locked for the shortest time
  v_slot := abs(hashtext(p_worker::text)) % 16;
  v_escrow := account_open(p_tenant, 'escrow', p_project, NULL, v_slot, v_offer.currency, p_now);
  PERFORM account_open(p_tenant, 'worker', NULL, p_worker, 0, v_offer.currency, p_now);
  v_event := event_append(p_tenant, 'assignment.claimed', p_assignment, p_project, jsonb_build_object('tasks', v_n), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[p_hold], ARRAY[p_hold], ARRAY['hold'], ARRAY[v_budget], ARRAY[v_escrow],
    ARRAY[v_n * v_each], p_assignment, v_offer.version, v_event, p_now);
  -- its fence: what was served to them so far, so a later page of theirs always has a higher one
  INSERT INTO assignment (tenant, id, project, worker, stage, fence, offer_version, price_minor, fee_minor, insurance_minor, currency, slot,
    tasks, open, hold, idem, claimed_at, expires_at, heartbeat_at, review_first_s)
  VALUES (p_tenant, p_assignment, p_project, p_worker, p_stage, v_cursor.served + v_n, v_offer.version, v_offer.price_minor, v_fee, v_insurance, v_offer.currency,
    v_slot, v_n, v_n, p_hold, p_idem, p_now, p_now + make_interval(secs => v_project.lease_s), p_now,
    v_project.review_first_s);
  INSERT INTO lease (tenant, assignment, task, worker, project, stage, position, gold, hold_minor)
  SELECT p_tenant, p_assignment, x.task, p_worker, p_project, p_stage,
    row_number() OVER (ORDER BY md5(x.task::text || p_assignment::text)) - 1, x.gold, v_each
  FROM (SELECT unnest(v_tasks) AS task, false AS gold UNION ALL SELECT unnest(v_golds), true) x;
  RETURN p_assignment;
END $$;

-- The page as its holder sees it: what is under review stands in the place of a pre-label, and what was rejected, with why; which of them is gold is not
-- told. An item has another identifier on each page, for the true ones follow the order of import, and manifests have their
-- gold first, or last.
CREATE OR REPLACE FUNCTION work_page(p_tenant uuid, p_worker uuid, p_assignment uuid)
RETURNS TABLE (task uuid, "position" smallint, state smallint, item text, pre_label text, draft text, draft_rev int, rejected text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT l.task, l.position, CASE WHEN l.under_review THEN {shown.waiting} ELSE l.state END::smallint,
    CASE WHEN p.names_tell OR p.is_exam THEN (to_jsonb(x) || '{"hidden": true}')::text ELSE to_json(x)::text END,
    CASE WHEN p.is_exam THEN NULL WHEN l.stage > 0 THEN a.label WHEN NOT t.alone THEN i.pre_label END,
    array_to_string(d.label || d.patches, E'\x1e'), d.rev,  -- the whole and its differences, as `drafts` reads them
    CASE WHEN l.stage > 0 THEN (SELECT json_build_object('reason', r.reason, 'note', r.note)::text FROM rejection r
      WHERE r.tenant = t.tenant AND r.judgement = t.about) END
  FROM lease l
  JOIN task t ON t.tenant = l.tenant AND t.id = l.task
  JOIN project p ON p.tenant = t.tenant AND p.id = t.project
  JOIN item i ON i.tenant = l.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  LEFT JOIN draft d ON d.tenant = l.tenant AND d.worker = l.worker AND d.task = l.task
  LEFT JOIN judgement a ON a.tenant = t.tenant AND a.id = t.about
  CROSS JOIN LATERAL item_shown(i, md5(l.assignment::text || i.id::text)::uuid, b) x
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker
  ORDER BY l.position
$$;

-- The page, for whom the tenant's work is meant.
CREATE OR REPLACE FUNCTION work_claim_page(p_tenant uuid, p_project uuid, p_stage smallint, p_worker uuid, p_person uuid, p_admit boolean,
  p_tasks int, p_max_bytes bigint, p_assignment uuid, p_hold uuid, p_idem text, p_now timestamptz)
RETURNS TABLE (assignment uuid, project_name text, kind text, stage smallint, stages text[], ontology_version uuid, fence bigint,
  page_state smallint,
  offer_version int, price_minor bigint, currency text, claimed_at timestamptz, expires_at timestamptz, review_first_s int,
  task uuid, "position" smallint, state smallint, item text, pre_label text, draft text, draft_rev int, rejected text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp
-- what it does goes by key or in the order of an index, whatever the statistics say: planned once a connection
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE v_page uuid;
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  IF NOT work_welcome(p_tenant, p_person) THEN RAISE EXCEPTION 'no such project' USING ERRCODE = 'no_data_found'; END IF;
  IF p_admit THEN PERFORM work_admit(p_tenant, p_worker, p_person, p_now); END IF;
  v_page := work_claim(p_tenant, p_project, p_stage, p_worker, p_person, p_tasks, p_max_bytes, p_assignment, p_hold, p_idem, p_now);
  IF v_page IS NULL THEN RETURN; END IF;
  RETURN QUERY
    SELECT a.id, p.name, p.kind, a.stage, p.stages, p.ontology_version, a.fence, a.state, a.offer_version, a.price_minor, a.currency, a.claimed_at,
      a.expires_at, a.review_first_s, w.*
    FROM assignment a JOIN project p ON p.tenant = a.tenant AND p.id = a.project
    CROSS JOIN LATERAL work_page(p_tenant, p_worker, v_page) w
    WHERE a.tenant = p_tenant AND a.id = v_page ORDER BY w."position";
END $$;

-- Admit a person to a tenant's work; the pseudonym comes from the caller, who holds the secret it is made with.
CREATE OR REPLACE FUNCTION work_admit(p_tenant uuid, p_worker uuid, p_person uuid, p_now timestamptz)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  INSERT INTO contributor (tenant, worker, person, admitted_at) VALUES (p_tenant, p_worker, p_person, p_now)
  ON CONFLICT DO NOTHING
$$;

GRANT EXECUTE ON FUNCTION work_claim_page, work_page, work_admit TO cupola_gateway, cupola_server;
