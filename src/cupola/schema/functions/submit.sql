-- What is known of the items of a page: what labels of them are checked against.
CREATE OR REPLACE FUNCTION work_facts(p_tenant uuid, p_worker uuid, p_assignment uuid)
RETURNS TABLE (task uuid, media_type text, width_px int, height_px int, facts text, body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  RETURN QUERY SELECT l.task, i.media_type, coalesce(i.width_px, b.width_px), coalesce(i.height_px, b.height_px), i.facts, i.body
  FROM lease l
  JOIN task t ON t.tenant = l.tenant AND t.id = l.task
  JOIN item i ON i.tenant = l.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker;
END $$;

-- What is under review on a page of a later stage: the label that stands until its reviewer says otherwise.
CREATE OR REPLACE FUNCTION work_reviewed(p_tenant uuid, p_worker uuid, p_assignment uuid)
RETURNS TABLE (task uuid, label text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  RETURN QUERY SELECT l.task, j.label FROM lease l
  JOIN task t ON t.tenant = l.tenant AND t.id = l.task AND t.stage = l.stage
  JOIN judgement j ON j.tenant = t.tenant AND j.id = t.about
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.stage > 0;
END $$;

-- The transfers that pay so many judgements of a page: the worker's price whole, and beside it fee and insurance.
CREATE OR REPLACE FUNCTION pay_legs(p_a assignment, p_n int, p_now timestamptz, OUT kinds text[], OUT debits uuid[], OUT credits uuid[],
  OUT amounts bigint[])
LANGUAGE plpgsql AS $$
DECLARE v_escrow uuid := account_id(p_a.tenant, 'escrow', p_a.project, NULL, p_a.slot, p_a.currency);
BEGIN
  kinds := ARRAY['pay'];
  debits := ARRAY[v_escrow];
  credits := ARRAY[account_id(p_a.tenant, 'worker', NULL, p_a.worker, 0, p_a.currency)];
  amounts := ARRAY[p_n * p_a.price_minor];
  IF p_a.fee_minor > 0 THEN
    kinds := kinds || 'fee'::text; debits := debits || v_escrow; amounts := amounts || p_n * p_a.fee_minor;
    credits := credits || account_open(p_a.tenant, 'platform_fee', NULL, NULL, p_a.slot, p_a.currency, p_now);
  END IF;
  IF p_a.insurance_minor > 0 THEN
    kinds := kinds || 'insure'::text; debits := debits || v_escrow; amounts := amounts || p_n * p_a.insurance_minor;
    credits := credits || account_open(p_a.tenant, 'quality_reserve', NULL, NULL, p_a.slot, p_a.currency, p_now);
  END IF;
END $$;

-- Submit judgements of a page: judgement, payment and event are one transaction, or nothing is.
-- Returns one row per judgement with how it went: 'paid' (now or before: the first answer stands), 'parked' (the lease had
-- ended: the label is kept as a draft and offered back first). A task that is not on the page is an error, its number in
-- the submit as the detail: nothing of such a submit is kept. 'stale': a newer page of theirs holds the task, and what they
-- write there stands. 'held': the page's work is reviewed first, and this waits for it. p_reasons, p_notes: NULL, or of each judgement why it rejects what is under review, NULL where it does not.
CREATE OR REPLACE FUNCTION work_submit(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_tasks uuid[], p_ids uuid[],
  p_labels text[], p_codes smallint[], p_seconds real[], p_reasons text[], p_notes text[], p_transfers uuid[], p_now timestamptz)
RETURNS TABLE (task uuid, judgement uuid, outcome text, paid_minor bigint, remaining smallint, state smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp
-- its statements go by key, whatever the statistics say: planned once a connection, not at every call
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  v_a assignment;
  v_new uuid[];
  v_known int;
  v_late boolean;
  v_n int;
  v_pay uuid;
  v_event bigint;
  v_legs record;
  v_m int;
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);  -- called by itself, it is its own transaction
  SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = p_assignment AND worker = p_worker FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such assignment' USING ERRCODE = 'no_data_found'; END IF;
  IF v_a.fence <> p_fence THEN RAISE EXCEPTION 'stale-fence' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  IF v_a.state = {page.claimed} AND v_a.expires_at < p_now THEN
    PERFORM work_end(p_tenant, p_assignment, p_worker, {page.expired}::smallint, NULL, NULL, p_transfers[4], p_now);
    SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = p_assignment;
  END IF;
  SELECT array_agg(l.task ORDER BY l.task) FILTER (WHERE l.state = {lease.open} AND NOT l.under_review), count(*), coalesce(bool_or(l.state IN ({lease.returned}, {lease.expired})), false)
    INTO v_new, v_known, v_late FROM unnest(p_tasks) AS x (task)
    JOIN lease l ON l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task;
  IF v_known <> cardinality(p_tasks) THEN
    RAISE EXCEPTION 'task-not-on-page' USING ERRCODE = 'invalid_parameter_value', DETAIL = (SELECT min(x.n) - 1
      FROM unnest(p_tasks) WITH ORDINALITY AS x (task, n) WHERE NOT EXISTS (SELECT FROM lease l
        WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task));
  END IF;
  v_n := coalesce(cardinality(v_new), 0);

  IF v_n > 0 AND v_a.review_first_s IS NOT NULL THEN
    UPDATE lease l SET under_review = true WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = ANY (v_new);
    INSERT INTO submission (tenant, id, assignment, task, worker, project, label, code, seconds, gold, at, due_at)
    SELECT p_tenant, x.id, p_assignment, x.task, p_worker, v_a.project, x.label, x.code, x.seconds, l.gold, p_now,
      p_now + make_interval(secs => v_a.review_first_s)
    FROM unnest(p_tasks, p_ids, p_labels, p_codes, p_seconds) AS x (task, id, label, code, seconds)
    JOIN lease l ON l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task WHERE x.task = ANY (v_new);
    PERFORM event_append(p_tenant, 'submission.made', p_assignment, v_a.project, jsonb_build_object('tasks', to_jsonb(v_new)), p_now);
    DELETE FROM draft d WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task = ANY (v_new);
    v_a.open := v_a.open - v_n;
    v_a.state := CASE WHEN v_a.open = 0 THEN {page.submitted} ELSE {page.claimed} END;
    UPDATE assignment a SET open = v_a.open, state = v_a.state, heartbeat_at = p_now,
      ended_at = CASE WHEN v_a.open = 0 THEN p_now END WHERE a.tenant = p_tenant AND a.id = p_assignment;
  ELSIF v_n > 0 THEN
    -- everywhere in these files: assignment, then tasks in id order, then accounts in id order; so no ring of waiters
    IF v_n > 1 THEN
      PERFORM FROM task t WHERE t.tenant = p_tenant AND t.id = ANY (v_new) ORDER BY t.id FOR NO KEY UPDATE;
    END IF;
    UPDATE task t SET judged = t.judged + 1, leased = t.leased - CASE WHEN t.gold THEN 0 ELSE 1 END
      WHERE t.tenant = p_tenant AND t.id = ANY (v_new);
    v_pay := p_transfers[1];
    v_legs := pay_legs(v_a, v_n, p_now);
    v_m := cardinality(v_legs.kinds);
    v_event := event_append(p_tenant, 'judgement.submitted', p_assignment, v_a.project,
      jsonb_build_object('tasks', to_jsonb(v_new)), p_now);
    PERFORM ledger_post(p_tenant, p_transfers[1:v_m], p_transfers[1:v_m], v_legs.kinds, v_legs.debits, v_legs.credits, v_legs.amounts,
      p_assignment, v_a.offer_version, v_event, p_now);
    WITH done AS (
      UPDATE lease l SET state = {lease.paid}, ended_by = v_pay
      WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = ANY (v_new) RETURNING l.task, l.gold)
    INSERT INTO judgement (tenant, id, task, project, assignment, worker, stage, about, label, code, seconds, gold,
      price_minor, transfer, at)
    SELECT p_tenant, x.id, x.task, v_a.project, p_assignment, p_worker, v_a.stage,
      CASE WHEN v_a.stage > 0 THEN (SELECT t.about FROM task t WHERE t.tenant = p_tenant AND t.id = x.task) END,
      x.label, x.code, x.seconds, d.gold, v_a.price_minor, v_pay, p_now
    FROM unnest(p_tasks, p_ids, p_labels, p_codes, p_seconds) AS x (task, id, label, code, seconds) JOIN done d ON d.task = x.task;
    IF p_reasons IS NOT NULL THEN
      INSERT INTO rejection (tenant, judgement, task, project, about, maker, reason, note, at)
      SELECT p_tenant, j.id, j.task, v_a.project, m.id, m.worker, x.reason, x.note, p_now
      FROM unnest(p_tasks, p_ids, p_reasons, p_notes) AS x (task, id, reason, note)
      JOIN judgement j ON j.tenant = p_tenant AND j.id = x.id
      JOIN judgement m ON m.tenant = p_tenant AND m.id = j.about
      WHERE x.reason IS NOT NULL AND x.task = ANY (v_new);
    END IF;
    INSERT INTO tally (tenant, subject, judgements, spent_minor, worker, paid_minor, seconds)
      VALUES (p_tenant, v_a.project, v_n, v_n * (v_a.price_minor + v_a.fee_minor + v_a.insurance_minor), p_worker,
        v_n * v_a.price_minor,
        (SELECT sum(x.seconds::float8) FROM unnest(p_tasks, p_seconds) AS x (task, seconds) WHERE x.task = ANY (v_new)));
    DELETE FROM draft d WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task = ANY (v_new);
    v_a.open := v_a.open - v_n;
    v_a.state := CASE WHEN v_a.open = 0 THEN {page.submitted} ELSE {page.claimed} END;
    UPDATE assignment a SET open = v_a.open, state = v_a.state, heartbeat_at = p_now,
      ended_at = CASE WHEN v_a.open = 0 THEN p_now END WHERE a.tenant = p_tenant AND a.id = p_assignment;
    IF v_n = v_known THEN  -- nearly always: all of it is new, and was on the page
      RETURN QUERY SELECT x.task, x.id, 'paid', v_a.price_minor, v_a.open, v_a.state
        FROM unnest(p_tasks, p_ids) WITH ORDINALITY AS x (task, id, n) ORDER BY x.n;
      RETURN;
    END IF;
  END IF;

  IF v_late THEN  -- what came after its lease had ended is kept, unless it was judged already
    INSERT INTO draft (tenant, worker, task, label, rev, seconds, parked, at)
    SELECT p_tenant, p_worker, x.task, x.label, 1, x.seconds, true, p_now
    FROM unnest(p_tasks, p_labels, p_seconds) AS x (task, label, seconds)
    JOIN lease l ON l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task AND l.state IN ({lease.returned}, {lease.expired})
    WHERE work_newer(p_tenant, p_worker, x.task, v_a.stage, v_a.fence) IS NULL
      AND NOT EXISTS (SELECT FROM judgement j WHERE j.tenant = p_tenant AND j.task = x.task AND j.worker = p_worker
        AND j.stage = v_a.stage)
    ON CONFLICT (tenant, worker, task) DO UPDATE SET label = excluded.label, rev = draft.rev + 1, parked = true, at = excluded.at,
      writer = '', base_rev = 0, patch_revs = '{}', patches = '{}';
  END IF;
  RETURN QUERY
    SELECT x.task, coalesce(j.id, s.id), CASE WHEN j.id IS NOT NULL THEN 'paid' WHEN s.id IS NOT NULL THEN 'held'
        WHEN work_newer(p_tenant, p_worker, x.task, v_a.stage, v_a.fence) IS NOT NULL THEN 'stale' ELSE 'parked' END,
      coalesce(j.price_minor, 0), v_a.open, v_a.state
    FROM unnest(p_tasks) WITH ORDINALITY AS x (task, n)
    LEFT JOIN judgement j ON j.tenant = p_tenant AND j.task = x.task AND j.worker = p_worker AND j.stage = v_a.stage
    LEFT JOIN submission s ON s.tenant = p_tenant AND s.assignment = p_assignment AND s.task = x.task
    ORDER BY x.n;
END $$;

GRANT EXECUTE ON FUNCTION work_facts, work_reviewed, work_submit TO cupola_gateway, cupola_server;
