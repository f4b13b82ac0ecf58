-- What is on offer, and to whom.

-- The offer whose price holds at a stage: the newest that has begun. One with a later date is a notice, not yet a price; but a project
-- always has a price, so its first offer holds also for a clock that was set back to before it.
CREATE OR REPLACE FUNCTION offer_in_force(p_tenant uuid, p_project uuid, p_stage smallint, p_now timestamptz) RETURNS SETOF offer
LANGUAGE sql STABLE SET search_path = cupola, pg_temp AS $$
  SELECT * FROM offer WHERE tenant = p_tenant AND project = p_project AND stage = p_stage
  ORDER BY effective_at <= p_now DESC, CASE WHEN effective_at <= p_now THEN -version ELSE version END LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION offer_in_force TO cupola_app, cupola_gateway;

-- How many tasks of a project its budget carries at a price, with what is added to it: nobody is offered, or given, more.
CREATE OR REPLACE FUNCTION budget_carries(p_tenant uuid, p_project uuid, p_offer offer) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT balance_minor FROM account
      WHERE tenant = p_tenant AND id = account_id(p_tenant, 'project_budget', p_project, NULL, 0, p_offer.currency)), 0)
    / (p_offer.price_minor + (p_offer.price_minor * p_offer.fee_bp + 5000) / 10000
      + (p_offer.price_minor * p_offer.insurance_bp + 5000) / 10000)
$$;

-- How many tasks of a stage of a project somebody would be given if they went on claiming and nobody else did, counted up to
-- 1,000: what expired with them, and their row of work and gold up to its last task of work. It falls by one with each task of
-- either sort.
CREATE OR REPLACE FUNCTION work_available(p_project project, p_worker uuid, p_person uuid, p_stage smallint, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_tenant uuid := p_project.tenant;
  v_directed boolean := p_project.routing = 'directed';
  v_crews uuid[] := '{}';
  v_past uuid[];
  v_cursor queue_cursor;
  v_rate real;
  v_work bigint;
  v_back bigint := 0;
  v_golds bigint;
  v_places int[];
BEGIN
  IF p_project.is_exam THEN RETURN exam_available(p_project, p_worker, p_now); END IF;
  IF p_project.crewed THEN v_crews := work_crews(v_tenant, p_person); END IF;
  IF p_project.trains IS NOT NULL THEN
    IF NOT work_untrained(v_tenant, p_project.trains, p_worker) THEN RETURN 0; END IF;
    RETURN (SELECT count(*) FROM task t, work_may(v_tenant, p_worker, t.id, t.crew, v_crews, '{}', v_directed, false, 0::smallint)
      WHERE t.tenant = v_tenant AND t.project = p_project.id AND t.gold AND t.state < {task.cancelled});
  END IF;
  IF p_project.training IS NOT NULL AND work_untrained(v_tenant, p_project.id, p_worker) THEN RETURN 0; END IF;
  v_past := work_past(v_tenant, p_project.id, p_worker, p_stage);
  v_work := work_open(p_project, p_worker, v_crews, v_past, 1000, p_stage);
  IF v_work >= 1000 THEN RETURN 1000; END IF;
  SELECT * INTO v_cursor FROM queue_cursor WHERE tenant = v_tenant AND project = p_project.id AND worker = p_worker AND stage = p_stage;
  IF cardinality(v_past) > 0 THEN
    SELECT count(*) INTO v_back FROM work_back(v_tenant, p_project.id, p_worker, v_directed, v_crews, v_work > 0,
      v_cursor.rank, p_project.min_judgements, p_stage);
  END IF;
  v_rate := coalesce(v_cursor.gold_rate, p_project.gold_rate);
  IF v_work > 0 AND p_stage = 0 AND p_project.gold_rate > 0 AND v_rate > 0
    AND (v_cursor.gold_done IS NOT TRUE OR v_cursor.epoch <> p_project.queue_epoch) THEN
    SELECT count(*) INTO v_golds FROM gold_draw(v_tenant, p_project.id, p_worker, v_directed, v_crews, v_past,
      coalesce(v_cursor.gold_at, '00000000-0000-0000-0000-000000000000'), (2 * v_work + 30)::int);
    v_places := (gold_places(p_project.gold_seed, p_worker, coalesce(v_cursor.place, 0), (v_work + v_golds)::int, v_rate))[1:v_golds];
    SELECT n INTO STRICT v_work FROM generate_series(1, v_work + v_golds) n WHERE n <> ALL (v_places)
      ORDER BY n OFFSET v_work - 1 LIMIT 1;
  END IF;
  RETURN least(1000, v_work + v_back);
END $$;

-- What a person may claim from now, tenant by tenant, at most p_each of each, the newest first. p_workers: how each tenant knows
-- them. Projects without open work cost a look at a counter and hide nobody else's.
CREATE OR REPLACE FUNCTION work_offers(p_person uuid, p_tenants uuid[], p_workers uuid[], p_each int, p_now timestamptz)
RETURNS TABLE (tenant uuid, worker uuid, project uuid, title text, kind text, ontology_version uuid, page_size int, price_minor bigint,
  currency text, offer_version int, trains uuid, stage smallint, stages text[], available bigint, median_s double precision, p75_s double precision, timed bigint,
  guess_median_s real, guess_p75_s real, review_first_s int, eligible text, facts text, is_exam boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_p project;
  v_o offer;
  v_found int;
  v_facts jsonb;
BEGIN
  FOR i IN 1 .. cardinality(p_tenants) LOOP
    tenant := p_tenants[i];
    worker := p_workers[i];
    PERFORM set_config('app.tenant', tenant::text, true);
    CONTINUE WHEN NOT work_welcome(tenant, p_person);
    v_found := 0;
    v_facts := NULL;
    FOR v_p IN SELECT p.* FROM project p WHERE p.tenant = p_tenants[i] AND p.state = 'live' ORDER BY p.launched_at DESC, p.id DESC LOOP
      EXIT WHEN v_found >= p_each;
      IF v_p.eligible_path IS NOT NULL THEN  -- asked once of a tenant's projects, not of each
        v_facts := coalesce(v_facts, person_facts(tenant, p_person, p_workers[i], p_now));
        CONTINUE WHEN NOT coalesce(v_facts @@ v_p.eligible_path, false);
      END IF;
      FOR v_stage IN 0 .. cardinality(v_p.stages) - 1 LOOP
        available := work_available(v_p, p_workers[i], p_person, v_stage::smallint, p_now);
        -- who used up all training without passing is told so, and waits for more of it
        CONTINUE WHEN available = 0 AND (v_p.trains IS NULL OR NOT EXISTS (
          SELECT FROM work_training(v_p.tenant, v_p.id, p_workers[i]) w WHERE w.answered > 0 AND NOT w.passed));
        SELECT * INTO v_o FROM offer_in_force(v_p.tenant, v_p.id, v_stage::smallint, p_now);
        CONTINUE WHEN NOT FOUND;
        IF available > 0 THEN
          -- an exam is begun whole: what its money does not carry is not offered
          CONTINUE WHEN v_p.is_exam AND available > budget_carries(v_p.tenant, v_p.id, v_o);
          available := least(available, budget_carries(v_p.tenant, v_p.id, v_o));
          CONTINUE WHEN available = 0;
        END IF;
        v_found := v_found + 1;
        project := v_p.id; title := v_p.name; kind := v_p.kind; ontology_version := v_p.ontology_version; page_size := v_p.page_size;
        trains := v_p.trains; review_first_s := v_p.review_first_s; eligible := v_p.eligible; is_exam := v_p.is_exam;
        facts := CASE WHEN v_p.eligible IS NOT NULL THEN v_facts::text END; stage := v_stage; stages := v_p.stages;
        price_minor := v_o.price_minor; currency := v_o.currency; offer_version := v_o.version;
        guess_median_s := v_o.median_s; guess_p75_s := v_o.p75_s;
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY j.seconds), percentile_cont(0.75) WITHIN GROUP (ORDER BY j.seconds),
          count(j.seconds) INTO median_s, p75_s, timed
          FROM (SELECT x.seconds FROM judgement x WHERE x.tenant = v_p.tenant AND x.project = v_p.id
            AND x.stage = v_stage ORDER BY x.id DESC LIMIT 1000) j;
        RETURN NEXT;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION work_offers TO cupola_gateway;
