-- The verbs that move money and work. The running server may only EXECUTE them: it has no right to write a transfer,
-- an account, an assignment, a lease or a judgement by itself. They run as the owner, who is held by row level security
-- to the tenant that the transaction named.

-- One account is one identifier for ever: derived, so that nobody looks it up.
CREATE FUNCTION account_id(p_tenant uuid, p_type text, p_project uuid, p_worker uuid, p_slot int, p_currency text)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT md5(concat_ws('|', p_tenant, p_type, coalesce(p_project::text, '-'), coalesce(p_worker::text, '-'), p_slot, p_currency))::uuid
$$;

CREATE FUNCTION account_open(p_tenant uuid, p_type text, p_project uuid, p_worker uuid, p_slot int, p_currency text, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_id uuid := account_id(p_tenant, p_type, p_project, p_worker, p_slot, p_currency);
BEGIN
  INSERT INTO account (tenant, id, type, project, worker, slot, currency, created_at)
  VALUES (p_tenant, v_id, p_type, p_project, p_worker, p_slot, p_currency, p_now)
  ON CONFLICT (tenant, id) DO NOTHING;
  RETURN v_id;
END $$;

-- Post transfers. The arrays run in parallel. Accounts are locked in id order, so that two postings never wait for each
-- other in a ring; the balance check of the table refuses an overdraft and with it the whole transaction.
CREATE FUNCTION ledger_post(p_tenant uuid, p_ids uuid[], p_idems uuid[], p_kinds text[], p_debits uuid[], p_credits uuid[],
  p_amounts bigint[], p_ref uuid, p_offer int, p_event bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_posted bigint;
BEGIN
  PERFORM 1 FROM account WHERE tenant = p_tenant AND id = ANY (p_debits || p_credits) ORDER BY id FOR NO KEY UPDATE;
  INSERT INTO transfer (tenant, id, idem, kind, debit, debit_type, credit, credit_type, currency, amount_minor, ref,
    offer_version, event, at)
  SELECT p_tenant, x.id, x.idem, x.kind, d.id, d.type, c.id, c.type, d.currency, x.amount, p_ref, p_offer, p_event, p_now
  FROM unnest(p_ids, p_idems, p_kinds, p_debits, p_credits, p_amounts) AS x (id, idem, kind, debit, credit, amount)
  JOIN account d ON d.tenant = p_tenant AND d.id = x.debit
  JOIN account c ON c.tenant = p_tenant AND c.id = x.credit;
  GET DIAGNOSTICS v_posted = ROW_COUNT;
  IF v_posted <> cardinality(p_ids) THEN  -- a leg found no account, or another tenant's
    RAISE EXCEPTION 'a transfer names an account that does not exist' USING ERRCODE = 'foreign_key_violation';
  END IF;
  UPDATE account a SET balance_minor = a.balance_minor + m.delta, version = a.version + m.n
  FROM (SELECT id, sum(delta)::bigint AS delta, count(*) AS n FROM (
          SELECT debit AS id, -amount AS delta FROM unnest(p_debits, p_amounts) AS d (debit, amount)
          UNION ALL
          SELECT credit, amount FROM unnest(p_credits, p_amounts) AS c (credit, amount)) legs GROUP BY id) m
  WHERE a.tenant = p_tenant AND a.id = m.id;
END $$;

CREATE FUNCTION event_append(p_tenant uuid, p_kind text, p_subject uuid, p_project uuid, p_data jsonb, p_now timestamptz)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  INSERT INTO event (tenant, kind, subject, project, data, at)
  VALUES (p_tenant, p_kind, p_subject, p_project, p_data, p_now) RETURNING seq
$$;

-- One simple transfer with its event: fund, allot, unallot, bonus.
CREATE FUNCTION ledger_move(p_tenant uuid, p_id uuid, p_idem uuid, p_kind text, p_debit uuid, p_credit uuid,
  p_amount bigint, p_project uuid, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_event bigint; v_have transfer;
BEGIN
  SELECT * INTO v_have FROM transfer WHERE tenant = p_tenant AND idem = p_idem;
  IF FOUND THEN
    IF (v_have.kind, v_have.debit, v_have.credit, v_have.amount_minor) IS DISTINCT FROM (p_kind, p_debit, p_credit, p_amount) THEN
      RAISE EXCEPTION 'the same idempotency key with another transfer' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN v_have.id;
  END IF;
  v_event := event_append(p_tenant, 'money.moved', p_id, p_project, jsonb_build_object('kind', p_kind), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[p_id], ARRAY[p_idem], ARRAY[p_kind], ARRAY[p_debit], ARRAY[p_credit],
    ARRAY[p_amount], p_project, NULL, v_event, p_now);
  RETURN p_id;
END $$;

-- The page that was claimed under a key, or NULL; a key that was used for another project is refused.
CREATE FUNCTION work_claimed(p_tenant uuid, p_project uuid, p_worker uuid, p_idem text)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_have assignment;
BEGIN
  SELECT * INTO v_have FROM assignment WHERE tenant = p_tenant AND worker = p_worker AND idem = p_idem;
  IF v_have.project <> p_project THEN
    RAISE EXCEPTION 'idempotency-key-reused' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN v_have.id;
END $$;

-- Claim a page: choose tasks, reserve their money, lease them. Returns the assignment, or NULL when there is nothing
-- for this worker. `p_dice` in [0, 1) decides about gold; it comes from the caller, so that tests can fix it.
CREATE FUNCTION work_claim(p_tenant uuid, p_project uuid, p_worker uuid, p_tasks int, p_assignment uuid, p_hold uuid,
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

  -- gold: a newcomer meets one in three until ten are seen, then the plan's rate
  IF v_project.gold_rate > 0 THEN
    v_gold_n := floor(v_n * CASE WHEN v_cursor.gold_served < 10 THEN greatest(v_project.gold_rate, 0.34) ELSE v_project.gold_rate END
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
  IF v_want > 0 AND EXISTS (SELECT FROM draft WHERE tenant = p_tenant AND worker = p_worker AND parked) THEN
    SELECT coalesce(array_agg(id), '{}') INTO v_tasks FROM (
      SELECT t.id FROM draft d JOIN task t ON t.tenant = p_tenant AND t.id = d.task
      WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.parked AND t.project = p_project AND t.open_slots > 0
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    v_want := v_want - cardinality(v_tasks);
  END IF;

  IF v_want > 0 AND v_project.routing = 'directed' THEN
    SELECT coalesce(array_agg(id), '{}') INTO v_more FROM (
      SELECT t.id FROM invite i JOIN task t ON t.tenant = p_tenant AND t.id = i.task
      WHERE i.tenant = p_tenant AND i.project = p_project AND i.worker = p_worker AND i.state = 1 AND t.open_slots > 0
        AND t.id <> ALL (v_tasks)
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    v_tasks := v_tasks || v_more;
  ELSIF v_want > 0 THEN
    -- from the cursor on, then once more from the start: nobody walks twice over what they have done
    SELECT coalesce(array_agg(id), '{}'), max(rank) INTO v_more, v_rank FROM (
      SELECT t.id, t.rank FROM task t
      WHERE t.tenant = p_tenant AND t.project = p_project AND t.open_slots > 0 AND t.rank > v_cursor.rank AND t.id <> ALL (v_tasks)
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
      ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
    v_tasks := v_tasks || v_more;
    v_want := v_want - cardinality(v_more);
    IF v_want > 0 AND v_cursor.rank >= 0 THEN
      SELECT coalesce(array_agg(id), '{}'), max(rank) INTO v_more, v_rank FROM (
        SELECT t.id, t.rank FROM task t
        WHERE t.tenant = p_tenant AND t.project = p_project AND t.open_slots > 0 AND t.rank <= v_cursor.rank AND t.id <> ALL (v_tasks)
          AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
        ORDER BY t.rank LIMIT v_want FOR NO KEY UPDATE OF t SKIP LOCKED) q;
      v_tasks := v_tasks || v_more;
    END IF;
  END IF;

  -- gold is only ever mixed in, so that a page of nothing but gold does not give it away
  IF cardinality(v_tasks) = 0 THEN RETURN NULL; END IF;
  v_n := cardinality(v_tasks) + cardinality(v_golds);

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

-- The page as its holder sees it: which of them is gold is not told.
CREATE FUNCTION work_page(p_tenant uuid, p_worker uuid, p_assignment uuid)
RETURNS TABLE (task uuid, "position" smallint, state smallint, item uuid, ref text, media_type text, asset bytea, url text,
  body text, width_px int, height_px int, thumb bytea, metadata text, pre_label text, draft text, draft_rev int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT l.task, l.position, l.state, i.id, i.ref, i.media_type, i.asset, i.url, i.body, coalesce(i.width_px, b.width_px),
    coalesce(i.height_px, b.height_px), b.thumb_sha256, i.metadata::text, i.pre_label, d.label, d.rev
  FROM lease l
  JOIN task t ON t.tenant = l.tenant AND t.id = l.task
  JOIN item i ON i.tenant = l.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  LEFT JOIN draft d ON d.tenant = l.tenant AND d.worker = l.worker AND d.task = l.task
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker
  ORDER BY l.position
$$;

-- Admit, claim and read the page in one round trip: the statement is the transaction, so it names its own scope.
-- One row per task, each with the assignment it belongs to; no row when there is nothing to do.
CREATE FUNCTION work_claim_page(p_tenant uuid, p_project uuid, p_worker uuid, p_person uuid, p_admit boolean, p_tasks int,
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

-- Sizes of the images of a page, for the check that a shape lies inside.
CREATE FUNCTION work_sizes(p_tenant uuid, p_worker uuid, p_assignment uuid)
RETURNS TABLE (task uuid, width_px int, height_px int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  RETURN QUERY SELECT l.task, coalesce(i.width_px, b.width_px), coalesce(i.height_px, b.height_px)
  FROM lease l
  JOIN task t ON t.tenant = l.tenant AND t.id = l.task
  JOIN item i ON i.tenant = l.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker;
END $$;

-- What other people know about the project on offer: how many tasks are there for this worker, and how long they take.
CREATE FUNCTION work_on_offer(p_tenant uuid, p_project uuid, p_worker uuid)
RETURNS TABLE (available bigint, median_s double precision, p75_s double precision, timed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT (SELECT count(*) FROM (SELECT 1 FROM task t WHERE t.tenant = p_tenant AND t.project = p_project AND t.open_slots > 0
            AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = t.id AND l.state IN (0, 1, 2))
            AND (NOT EXISTS (SELECT FROM project p WHERE p.tenant = p_tenant AND p.id = p_project AND p.routing = 'directed')
              OR EXISTS (SELECT FROM invite i WHERE i.tenant = p_tenant AND i.task = t.id AND i.worker = p_worker AND i.state = 1))
          LIMIT 1000) q),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY j.seconds), percentile_cont(0.75) WITHIN GROUP (ORDER BY j.seconds), count(j.seconds)
  FROM (SELECT seconds FROM judgement WHERE tenant = p_tenant AND project = p_project ORDER BY id DESC LIMIT 1000) j
$$;

-- Submit judgements of a page: judgement, payment and event are one transaction, or nothing is.
-- Returns one row per judgement with how it went: 'paid' (now or before: the first answer stands), 'parked' (the lease had
-- ended: the label is kept as a draft and offered back first). A task that is not on the page is an error, its number in
-- the submit as the detail: nothing of such a submit is kept.
CREATE FUNCTION work_submit(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_tasks uuid[], p_ids uuid[],
  p_labels text[], p_codes smallint[], p_seconds real[], p_transfers uuid[], p_now timestamptz)
RETURNS TABLE (task uuid, judgement uuid, outcome text, paid_minor bigint, remaining smallint, state smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_a assignment;
  v_new uuid[];
  v_n int;
  v_pay uuid;
  v_fee uuid;
  v_reserve uuid;
  v_escrow uuid;
  v_worker uuid;
  v_event bigint;
  v_kinds text[];
  v_debits uuid[];
  v_credits uuid[];
  v_amounts bigint[];
  v_m int;
  v_unknown bigint;
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);  -- called by itself, it is its own transaction
  SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = p_assignment AND worker = p_worker FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such assignment' USING ERRCODE = 'no_data_found'; END IF;
  IF v_a.fence <> p_fence THEN RAISE EXCEPTION 'stale-fence' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  SELECT min(x.n) INTO v_unknown FROM unnest(p_tasks) WITH ORDINALITY AS x (task, n)
    WHERE NOT EXISTS (SELECT FROM lease l WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task);
  IF v_unknown IS NOT NULL THEN
    RAISE EXCEPTION 'task-not-on-page' USING ERRCODE = 'invalid_parameter_value', DETAIL = v_unknown - 1;
  END IF;
  IF v_a.state = 0 AND v_a.expires_at < p_now THEN
    PERFORM work_end(p_tenant, p_assignment, p_worker, 3::smallint, NULL, NULL, p_transfers[4], p_now);
    SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = p_assignment;
  END IF;

  SELECT array_agg(l.task) INTO v_new FROM lease l
    WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = ANY (p_tasks) AND l.state = 0;
  v_n := coalesce(cardinality(v_new), 0);

  IF v_n > 0 THEN
    -- everywhere in this file: assignment, then tasks in id order, then accounts in id order; so no ring of waiters
    PERFORM 1 FROM task t WHERE t.tenant = p_tenant AND t.id = ANY (v_new) ORDER BY t.id FOR NO KEY UPDATE;
    v_escrow := account_id(p_tenant, 'escrow', v_a.project, NULL, v_a.slot, v_a.currency);
    v_worker := account_id(p_tenant, 'worker', NULL, p_worker, 0, v_a.currency);
    v_kinds := ARRAY['pay'];
    v_debits := ARRAY[v_escrow];
    v_credits := ARRAY[v_worker];
    v_amounts := ARRAY[v_n * v_a.price_minor];
    IF v_a.fee_minor > 0 THEN
      v_fee := account_open(p_tenant, 'platform_fee', NULL, NULL, v_a.slot, v_a.currency, p_now);
      v_kinds := v_kinds || 'fee'::text; v_debits := v_debits || v_escrow; v_credits := v_credits || v_fee;
      v_amounts := v_amounts || v_n * v_a.fee_minor;
    END IF;
    IF v_a.insurance_minor > 0 THEN
      v_reserve := account_open(p_tenant, 'quality_reserve', NULL, NULL, v_a.slot, v_a.currency, p_now);
      v_kinds := v_kinds || 'insure'::text; v_debits := v_debits || v_escrow; v_credits := v_credits || v_reserve;
      v_amounts := v_amounts || v_n * v_a.insurance_minor;
    END IF;
    v_m := cardinality(v_kinds);
    v_pay := p_transfers[1];
    v_event := event_append(p_tenant, 'judgement.submitted', p_assignment, v_a.project,
      jsonb_build_object('tasks', to_jsonb(v_new)), p_now);
    PERFORM ledger_post(p_tenant, p_transfers[1:v_m], p_transfers[1:v_m], v_kinds, v_debits, v_credits, v_amounts,
      p_assignment, v_a.offer_version, v_event, p_now);
    UPDATE lease l SET state = 1, ended_by = v_pay
      WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = ANY (v_new);
    INSERT INTO judgement (tenant, id, task, project, assignment, worker, label, code, seconds, gold, price_minor, transfer, at)
    SELECT p_tenant, x.id, x.task, v_a.project, p_assignment, p_worker, x.label, x.code, x.seconds, l.gold, v_a.price_minor, v_pay, p_now
    FROM unnest(p_tasks, p_ids, p_labels, p_codes, p_seconds) AS x (task, id, label, code, seconds)
    JOIN lease l ON l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task
    WHERE x.task = ANY (v_new);
    UPDATE task t SET judged = t.judged + 1, leased = t.leased - CASE WHEN t.gold THEN 0 ELSE 1 END
      WHERE t.tenant = p_tenant AND t.id = ANY (v_new);
    DELETE FROM draft d WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task = ANY (v_new);
    UPDATE assignment a SET open = a.open - v_n, state = CASE WHEN a.open = v_n THEN 1 ELSE 0 END,
      ended_at = CASE WHEN a.open = v_n THEN p_now END, heartbeat_at = p_now
      WHERE a.tenant = p_tenant AND a.id = p_assignment;
  END IF;

  -- what came after its lease had ended is kept, unless it was judged already
  INSERT INTO draft (tenant, worker, task, label, rev, seconds, parked, at)
  SELECT p_tenant, p_worker, x.task, x.label, 1, x.seconds, true, p_now
  FROM unnest(p_tasks, p_labels, p_seconds) AS x (task, label, seconds)
  JOIN lease l ON l.tenant = p_tenant AND l.assignment = p_assignment AND l.task = x.task AND l.state IN (2, 3)
  WHERE NOT EXISTS (SELECT FROM judgement j WHERE j.tenant = p_tenant AND j.task = x.task AND j.worker = p_worker)
  ON CONFLICT (tenant, worker, task) DO UPDATE SET label = excluded.label, rev = draft.rev + 1, parked = true, at = excluded.at;

  RETURN QUERY
    SELECT x.task, j.id, CASE WHEN j.id IS NOT NULL THEN 'paid' ELSE 'parked' END,
      coalesce(j.price_minor, 0), a.open, a.state
    FROM unnest(p_tasks) WITH ORDINALITY AS x (task, n)
    JOIN assignment a ON a.tenant = p_tenant AND a.id = p_assignment
    LEFT JOIN judgement j ON j.tenant = p_tenant AND j.task = x.task AND j.worker = p_worker
    ORDER BY x.n;
END $$;

-- End what is still open of a page: returned (2) by its holder or expired (3). The money goes back to the project.
CREATE FUNCTION work_end(p_tenant uuid, p_assignment uuid, p_worker uuid, p_state smallint, p_reason text, p_note text,
  p_transfer uuid, p_now timestamptz)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_a assignment;
  v_held bigint;
  v_tasks uuid[];
  v_event bigint;
BEGIN
  SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = p_assignment
    AND (p_worker IS NULL OR worker = p_worker) FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such assignment' USING ERRCODE = 'no_data_found'; END IF;
  IF v_a.state <> 0 THEN RETURN 0; END IF;
  IF p_state = 3 AND v_a.expires_at >= p_now THEN RETURN 0; END IF;  -- a heartbeat came first
  SELECT sum(hold_minor), array_agg(task ORDER BY task) INTO v_held, v_tasks FROM lease
    WHERE tenant = p_tenant AND assignment = p_assignment AND state = 0;
  UPDATE task SET leased = leased - 1, open_slots = open_slots + CASE WHEN state IN (0, 1) THEN 1 ELSE 0 END
    WHERE tenant = p_tenant AND id IN (SELECT t.id FROM task t WHERE t.tenant = p_tenant AND t.id = ANY (v_tasks) AND NOT t.gold
      ORDER BY t.id FOR NO KEY UPDATE);
  UPDATE invite SET state = CASE WHEN p_state = 2 THEN 2 ELSE 1 END
    WHERE tenant = p_tenant AND worker = v_a.worker AND task = ANY (v_tasks) AND state = 2;
  -- a draft of an expired page is offered back first
  UPDATE draft SET parked = true WHERE tenant = p_tenant AND worker = v_a.worker AND task = ANY (v_tasks) AND p_state = 3;
  v_event := event_append(p_tenant, CASE p_state WHEN 2 THEN 'assignment.returned' ELSE 'assignment.expired' END, p_assignment,
    v_a.project, jsonb_build_object('tasks', to_jsonb(v_tasks), 'reason', p_reason), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[p_transfer], ARRAY[p_transfer], ARRAY['release'],
    ARRAY[account_id(p_tenant, 'escrow', v_a.project, NULL, v_a.slot, v_a.currency)],
    ARRAY[account_id(p_tenant, 'project_budget', v_a.project, NULL, 0, v_a.currency)],
    ARRAY[v_held], p_assignment, v_a.offer_version, v_event, p_now);
  UPDATE lease SET state = p_state, ended_by = p_transfer WHERE tenant = p_tenant AND assignment = p_assignment AND state = 0;
  UPDATE assignment SET state = p_state, open = 0, ended_at = p_now, return_reason = p_reason, return_note = p_note,
    fence = fence WHERE tenant = p_tenant AND id = p_assignment;
  RETURN cardinality(v_tasks);
END $$;

CREATE FUNCTION work_heartbeat(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_now timestamptz)
RETURNS timestamptz LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  UPDATE assignment a SET heartbeat_at = p_now,
    expires_at = least(greatest(a.expires_at, p_now + make_interval(secs => p.lease_s)), a.claimed_at + interval '24 hours')
  FROM project p
  WHERE a.tenant = p_tenant AND a.id = p_assignment AND a.worker = p_worker AND a.fence = p_fence AND a.state = 0
    AND a.expires_at >= p_now AND p.tenant = p_tenant AND p.id = a.project
  RETURNING a.expires_at
$$;

CREATE FUNCTION work_draft(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_task uuid, p_label text, p_rev int,
  p_now timestamptz)
RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  -- an older revision that arrives late changes nothing
  INSERT INTO draft (tenant, worker, task, label, rev, parked, at)
  SELECT p_tenant, p_worker, l.task, p_label, p_rev, l.state <> 0, p_now
  FROM lease l JOIN assignment a ON a.tenant = l.tenant AND a.id = l.assignment
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.task = p_task
    AND l.state IN (0, 2, 3) AND a.fence = p_fence
  ON CONFLICT (tenant, worker, task) DO UPDATE SET
    label = CASE WHEN excluded.rev > draft.rev THEN excluded.label ELSE draft.label END,
    rev = greatest(excluded.rev, draft.rev), at = excluded.at
  RETURNING rev
$$;

-- Admit a person to a tenant's work; the pseudonym comes from the caller, who holds the secret it is made with.
CREATE FUNCTION work_admit(p_tenant uuid, p_worker uuid, p_person uuid, p_now timestamptz)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  INSERT INTO contributor (tenant, worker, person, admitted_at) VALUES (p_tenant, p_worker, p_person, p_now)
  ON CONFLICT DO NOTHING
$$;

-- ---------------------------------------------------------------- who may call what
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA cupola FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_tenant, current_worker, current_person, account_id TO cupola_app, cupola_gateway, cupola_ops;
GRANT EXECUTE ON FUNCTION account_open, ledger_move, event_append, work_end TO cupola_app;
GRANT EXECUTE ON FUNCTION work_claim, work_claim_page, work_page, work_sizes, work_on_offer, work_submit, work_end, work_heartbeat, work_draft,
  work_admit TO cupola_gateway;
GRANT EXECUTE ON FUNCTION refuse_change TO cupola_app, cupola_gateway, cupola_ops;
