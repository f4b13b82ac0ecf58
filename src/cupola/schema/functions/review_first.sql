-- Work that is reviewed first, and what becomes of it. Locks as everywhere: assignment, then tasks, then accounts.

-- Submissions become judgements, and are paid: what waits, and what was rejected and is no more. Returns how many.
CREATE OR REPLACE FUNCTION submissions_accept(p_tenant uuid, p_ids uuid[], p_now timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_page uuid;
  v_a assignment;
  v_ids uuid[];
  v_tasks uuid[];
  v_waited uuid[];
  v_n int;
  v_pay uuid;
  v_legs record;
  v_more uuid[];
  v_event bigint;
  v_done int := 0;
BEGIN
  FOR v_page IN SELECT DISTINCT s.assignment FROM submission s WHERE s.tenant = p_tenant AND s.id = ANY (p_ids) ORDER BY 1 LOOP
    SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = v_page FOR UPDATE;
    SELECT array_agg(s.id ORDER BY s.task), array_agg(s.task ORDER BY s.task),
        coalesce(array_agg(s.task) FILTER (WHERE s.state = {submission.waiting}), '{}') INTO v_ids, v_tasks, v_waited
      FROM submission s WHERE s.tenant = p_tenant AND s.assignment = v_page AND s.id = ANY (p_ids)
        AND s.state IN ({submission.waiting}, {submission.rejected});
    CONTINUE WHEN v_ids IS NULL;
    v_n := cardinality(v_ids);
    PERFORM FROM task t WHERE t.tenant = p_tenant AND t.id = ANY (v_tasks) ORDER BY t.id FOR NO KEY UPDATE;
    -- a rejected one had opened its place again
    UPDATE task t SET judged = t.judged + 1,
      leased = t.leased - CASE WHEN NOT t.gold AND t.id = ANY (v_waited) THEN 1 ELSE 0 END,
      open_slots = t.open_slots - CASE WHEN NOT t.gold AND t.id <> ALL (v_waited) AND t.open_slots > 0 THEN 1 ELSE 0 END
      WHERE t.tenant = p_tenant AND t.id = ANY (v_tasks);
    v_legs := pay_legs(v_a, v_n, p_now);
    v_more := ARRAY(SELECT uuidv7() FROM generate_series(1, cardinality(v_legs.kinds)));
    v_pay := v_more[1];
    v_event := event_append(p_tenant, 'judgement.submitted', v_page, v_a.project, jsonb_build_object('tasks', to_jsonb(v_tasks)), p_now);
    PERFORM ledger_post(p_tenant, v_more, v_more, v_legs.kinds, v_legs.debits, v_legs.credits, v_legs.amounts, v_page,
      v_a.offer_version, v_event, p_now);
    UPDATE lease l SET state = {lease.paid}, ended_by = v_pay, under_review = false
      WHERE l.tenant = p_tenant AND l.assignment = v_page AND l.task = ANY (v_tasks);
    INSERT INTO judgement (tenant, id, task, project, assignment, worker, stage, label, code, seconds, gold, price_minor, transfer, at)
    SELECT p_tenant, s.id, s.task, s.project, v_page, s.worker, v_a.stage, s.label, s.code, s.seconds, s.gold, v_a.price_minor, v_pay, p_now
    FROM submission s WHERE s.tenant = p_tenant AND s.id = ANY (v_ids);
    UPDATE submission s SET state = {submission.accepted}, decided_at = p_now WHERE s.tenant = p_tenant AND s.id = ANY (v_ids);
    INSERT INTO tally (tenant, subject, judgements, spent_minor, worker, paid_minor, seconds)
      VALUES (p_tenant, v_a.project, v_n, v_n * (v_a.price_minor + v_a.fee_minor + v_a.insurance_minor), v_a.worker,
        v_n * v_a.price_minor, (SELECT sum(s.seconds::float8) FROM submission s WHERE s.tenant = p_tenant AND s.id = ANY (v_ids)));
    v_done := v_done + v_n;
  END LOOP;
  RETURN v_done;
END $$;

-- A rejection ends, once: upheld, and the money goes back to the project; or not, and the work is paid.
CREATE OR REPLACE FUNCTION rejection_end(p_tenant uuid, p_submission uuid, p_upheld boolean, p_how text, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_s submission; v_a assignment; v_held bigint; v_transfer uuid := uuidv7(); v_event bigint;
BEGIN
  SELECT * INTO v_s FROM submission WHERE tenant = p_tenant AND id = p_submission;
  SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = v_s.assignment FOR UPDATE;
  INSERT INTO verdict (tenant, submission, worker, upheld, how, at) VALUES (p_tenant, p_submission, v_s.worker, p_upheld, p_how, p_now);
  UPDATE appeal SET state = CASE WHEN p_upheld THEN {appeal.upheld} ELSE {appeal.overturned} END, decided_at = p_now
    WHERE tenant = p_tenant AND submission = p_submission;
  PERFORM hearing_close(p_tenant, p_submission, p_now);
  IF NOT p_upheld THEN
    PERFORM submissions_accept(p_tenant, ARRAY[p_submission], p_now);
    PERFORM event_append(p_tenant, 'rejection.overturned', p_submission, v_s.project, jsonb_build_object('how', p_how), p_now);
    RETURN;
  END IF;
  SELECT l.hold_minor INTO STRICT v_held FROM lease l
    WHERE l.tenant = p_tenant AND l.assignment = v_s.assignment AND l.task = v_s.task AND l.under_review;
  v_event := event_append(p_tenant, 'rejection.upheld', p_submission, v_s.project, jsonb_build_object('how', p_how), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[v_transfer], ARRAY[v_transfer], ARRAY['reject'],
    ARRAY[account_id(p_tenant, 'escrow', v_a.project, NULL, v_a.slot, v_a.currency)],
    ARRAY[account_id(p_tenant, 'project_budget', v_a.project, NULL, 0, v_a.currency)],
    ARRAY[v_held], v_s.assignment, v_a.offer_version, v_event, p_now);
  UPDATE lease SET state = {lease.rejected}, ended_by = v_transfer, under_review = false
    WHERE tenant = p_tenant AND assignment = v_s.assignment AND task = v_s.task;
  UPDATE submission SET state = {submission.refused}, decided_at = p_now WHERE tenant = p_tenant AND id = p_submission;
END $$;

-- Until when somebody may appeal: 14 days from the rejection, or from when a freeze of it was lifted.
CREATE OR REPLACE FUNCTION appeal_until(p_tenant uuid, p_project uuid, p_rejected timestamptz, p_appeal_by timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT greatest(p_appeal_by, (SELECT max(f.decided_at) + interval '14 days' FROM review_freeze f
    WHERE f.tenant = p_tenant AND f.project = p_project AND f.lifted AND f.decided_at > p_rejected))
$$;

-- What became due by now is done, whoever asks first: a scheduler that is dead delays nothing. Returns how much there was; some
-- of it may be left where that is p_limit.
CREATE OR REPLACE FUNCTION hearings_due(p_tenant uuid, p_limit int, p_now timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_ids uuid[]; v_one uuid; v_n int := 0; v_freeze review_freeze;
BEGIN
  v_ids := ARRAY(SELECT s.id FROM submission s WHERE s.tenant = p_tenant AND s.state = {submission.waiting} AND s.due_at <= p_now
    ORDER BY s.due_at LIMIT p_limit);
  IF cardinality(v_ids) > 0 THEN v_n := submissions_accept(p_tenant, v_ids, p_now); END IF;
  FOR v_freeze IN SELECT * FROM review_freeze f WHERE f.tenant = p_tenant AND f.decided_at IS NULL AND f.decide_by <= p_now LOOP
    v_n := v_n + freeze_end(p_tenant, v_freeze.id, NULL, false, 'Nobody looked in time.', p_now);
  END LOOP;
  FOR v_one IN SELECT a.submission FROM appeal a WHERE a.tenant = p_tenant AND (a.state = {appeal.filed} AND a.answer_by <= p_now
      OR a.state = {appeal.panel} AND a.panel_by <= p_now) ORDER BY a.id LIMIT p_limit LOOP
    -- looked at again under its lock: somebody may have answered in time, by a clock a little behind this one
    PERFORM FROM appeal a WHERE a.tenant = p_tenant AND a.submission = v_one AND (a.state = {appeal.filed} AND a.answer_by <= p_now
      OR a.state = {appeal.panel} AND a.panel_by <= p_now) FOR UPDATE;
    CONTINUE WHEN NOT FOUND;
    PERFORM rejection_end(p_tenant, v_one, false,
      CASE (SELECT a.state FROM appeal a WHERE a.tenant = p_tenant AND a.submission = v_one) WHEN {appeal.filed} THEN 'unanswered' ELSE 'undecided' END,
      p_now);
    v_n := v_n + 1;
  END LOOP;
  FOR v_one IN SELECT r.submission FROM submission_rejection r
      JOIN submission s ON s.tenant = r.tenant AND s.id = r.submission AND s.state = {submission.rejected}
      WHERE r.tenant = p_tenant AND r.appeal_by <= p_now AND appeal_until(p_tenant, s.project, r.at, r.appeal_by) <= p_now
        AND NOT EXISTS (SELECT FROM appeal a WHERE a.tenant = r.tenant AND a.submission = r.submission)
        AND NOT EXISTS (SELECT FROM review_freeze f WHERE f.tenant = s.tenant AND f.project = s.project AND f.decided_at IS NULL)
      ORDER BY r.submission LIMIT p_limit LOOP
    PERFORM FROM submission s WHERE s.tenant = p_tenant AND s.id = v_one AND s.state = {submission.rejected} FOR UPDATE;
    CONTINUE WHEN NOT FOUND OR EXISTS (SELECT FROM appeal a WHERE a.tenant = p_tenant AND a.submission = v_one);  -- filed meanwhile
    PERFORM rejection_end(p_tenant, v_one, true, 'unappealed', p_now);
    v_n := v_n + 1;
  END LOOP;
  RETURN v_n;
END $$;

-- Reject what waits. Raises review-over where it does not wait any more, frozen where too much of its project was rejected.
-- Freezes the project's reviews where this one is too much. Returns whether it did.
CREATE OR REPLACE FUNCTION submission_reject(p_tenant uuid, p_submission uuid, p_reason text, p_place text, p_part text, p_note text, p_evidence text,
  p_corrected text, p_second uuid, p_rejecter uuid, p_least int, p_share float8, p_span interval, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_s submission; v_rejected int; v_submitted int;
BEGIN
  SELECT s.* INTO v_s FROM submission s WHERE s.tenant = p_tenant AND s.id = p_submission;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such submission' USING ERRCODE = 'no_data_found'; END IF;
  -- rejections of a project come one at a time, so that they are counted
  PERFORM pg_advisory_xact_lock(hashtextextended(v_s.project::text, 11));
  PERFORM FROM assignment WHERE tenant = p_tenant AND id = v_s.assignment FOR UPDATE;
  IF EXISTS (SELECT FROM review_freeze f WHERE f.tenant = p_tenant AND f.project = v_s.project AND f.decided_at IS NULL) THEN
    RAISE EXCEPTION 'frozen' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  UPDATE submission SET state = {submission.rejected} WHERE tenant = p_tenant AND id = p_submission
    AND state = {submission.waiting} AND due_at > p_now;
  IF NOT FOUND THEN RAISE EXCEPTION 'review-over' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  INSERT INTO submission_rejection (tenant, submission, worker, reason, place, part, note, evidence, corrected, second, rejecter, at, appeal_by)
    VALUES (p_tenant, p_submission, v_s.worker, p_reason, p_place, p_part, p_note, p_evidence, p_corrected, p_second, p_rejecter, p_now,
      p_now + interval '14 days');
  -- somebody else is asked at once: who waits for the data does not wait for the hearing
  UPDATE task SET leased = leased - 1, open_slots = open_slots + CASE WHEN state IN ({task.open}, {task.collecting}) THEN 1 ELSE 0 END
    WHERE tenant = p_tenant AND id = v_s.task AND NOT gold;
  PERFORM event_append(p_tenant, 'submission.rejected', p_submission, v_s.project, jsonb_build_object('reason', p_reason), p_now);
  SELECT count(*) FILTER (WHERE r.submission IS NOT NULL), count(*) INTO v_rejected, v_submitted FROM submission s
    LEFT JOIN submission_rejection r ON r.tenant = s.tenant AND r.submission = s.id
    WHERE s.tenant = p_tenant AND s.project = v_s.project AND s.at > p_now - p_span;
  IF v_rejected < p_least OR v_rejected <= p_share * v_submitted THEN RETURN false; END IF;
  INSERT INTO review_freeze (tenant, id, project, rejected, submitted, at, decide_by)
    VALUES (p_tenant, uuidv7(), v_s.project, v_rejected, v_submitted, p_now, p_now + interval '14 days');
  PERFORM event_append(p_tenant, 'review.frozen', v_s.project, v_s.project,
    jsonb_build_object('rejected', v_rejected, 'submitted', v_submitted), p_now);
  RETURN true;
END $$;

-- A freeze ends: lifted, and its rejections go on, with their time to appeal from now; or they all fall. Returns how many fell.
CREATE OR REPLACE FUNCTION freeze_end(p_tenant uuid, p_freeze uuid, p_person uuid, p_lifted boolean, p_note text, p_now timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_project uuid; v_one uuid; v_n int := 0;
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  UPDATE review_freeze SET decided_at = p_now, decided_by = p_person, lifted = p_lifted, note = p_note
    WHERE tenant = p_tenant AND id = p_freeze AND decided_at IS NULL RETURNING project INTO v_project;
  IF NOT FOUND THEN RETURN 0; END IF;
  IF NOT p_lifted THEN
    FOR v_one IN SELECT s.id FROM submission s WHERE s.tenant = p_tenant AND s.project = v_project AND s.state = {submission.rejected}
        ORDER BY s.assignment, s.id LOOP
      PERFORM rejection_end(p_tenant, v_one, false, 'frozen', p_now);
      v_n := v_n + 1;
    END LOOP;
  END IF;
  PERFORM event_append(p_tenant, 'review.thawed', v_project, v_project, jsonb_build_object('lifted', p_lifted, 'fell', v_n), p_now);
  RETURN v_n;
END $$;

GRANT EXECUTE ON FUNCTION submission_reject TO cupola_app;
GRANT EXECUTE ON FUNCTION hearings_due, appeal_until TO cupola_app, cupola_gateway;
GRANT EXECUTE ON FUNCTION freeze_end TO cupola_ops;
