-- Paid exams. An attempt is one page, claimed whole: its money is reserved, and each of its answers paid, right or wrong.

-- The tasks of an attempt that a claim goes on with, or of a new one: drawn by dice from those whose items nobody has met with
-- this worker. NULL where there is nothing (more) to be examined with. Raises 'exam-wait' (the detail says until when) and
-- 'exam-passed' (until when it holds).
CREATE OR REPLACE FUNCTION exam_draw(p_project project, p_worker uuid, p_carries bigint, p_now timestamptz) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_exam exam; v_last exam_attempt; v_tasks uuid[]; v_until timestamptz;
BEGIN
  SELECT * INTO STRICT v_exam FROM exam WHERE tenant = p_project.tenant AND project = p_project.id;
  SELECT * INTO v_last FROM exam_attempt a WHERE a.tenant = p_project.tenant AND a.worker = p_worker AND a.project = p_project.id
    ORDER BY a.id DESC LIMIT 1;
  IF v_last.state = {attempt.open} THEN  -- what of its page ran out, and is not held now
    v_tasks := ARRAY(SELECT x.task FROM unnest(v_last.tasks) AS x (task) WHERE NOT EXISTS (SELECT FROM lease l
      WHERE l.tenant = p_project.tenant AND l.worker = p_worker AND l.task = x.task AND l.state IN ({lease.open}, {lease.paid})));
    RETURN CASE WHEN cardinality(v_tasks) > 0 THEN v_tasks END;
  END IF;
  IF v_last.state = {attempt.passed} AND v_last.expires_at > p_now + interval '30 days' THEN
    RAISE EXCEPTION 'exam-passed' USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = v_last.expires_at;
  END IF;
  v_until := v_last.ended_at + make_interval(days => v_exam.retake_days);
  IF v_last.state IN ({attempt.failed}, {attempt.left}) AND v_until > p_now THEN
    RAISE EXCEPTION 'exam-wait' USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = v_until;
  END IF;
  IF p_carries < v_exam.items THEN RAISE EXCEPTION 'budget-exhausted' USING ERRCODE = 'insufficient_resources'; END IF;
  v_tasks := ARRAY(SELECT t.id FROM task t WHERE t.tenant = p_project.tenant AND t.project = p_project.id AND t.gold
    AND t.state < {task.cancelled} AND NOT EXISTS (SELECT FROM exam_met m WHERE m.tenant = t.tenant AND m.worker = p_worker AND m.item = t.item)
    AND NOT EXISTS (SELECT FROM judgement j JOIN task k ON k.tenant = j.tenant AND k.id = j.task
      WHERE j.tenant = t.tenant AND j.worker = p_worker AND k.item = t.item)
    ORDER BY md5(uuidv7()::text || t.id::text) LIMIT v_exam.items);
  IF cardinality(v_tasks) < v_exam.items THEN RETURN NULL; END IF;
  INSERT INTO exam_attempt (tenant, id, project, worker, tasks, at_least, confidence, at)
    VALUES (p_project.tenant, uuidv7(), p_project.id, p_worker, v_tasks, v_exam.at_least, v_exam.confidence, p_now);
  INSERT INTO exam_met (tenant, worker, item) SELECT t.tenant, p_worker, t.item FROM task t
    WHERE t.tenant = p_project.tenant AND t.id = ANY (v_tasks) ON CONFLICT DO NOTHING;
  RETURN v_tasks;
END $$;

-- How many tasks somebody would be given of an exam now: those of an attempt that waits, or of a new one.
CREATE OR REPLACE FUNCTION exam_available(p_project project, p_worker uuid, p_now timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT CASE
    WHEN l.state = {attempt.open} THEN cardinality(l.tasks) - l.answered
    WHEN l.state = {attempt.passed} AND l.expires_at > p_now + interval '30 days' THEN 0
    WHEN l.state IN ({attempt.failed}, {attempt.left}) AND l.ended_at + make_interval(days => e.retake_days) > p_now THEN 0
    WHEN (SELECT count(*) FROM (SELECT FROM task t WHERE t.tenant = e.tenant AND t.project = e.project AND t.gold
      AND t.state < {task.cancelled} AND NOT EXISTS (SELECT FROM exam_met m WHERE m.tenant = t.tenant AND m.worker = p_worker AND m.item = t.item)
      LIMIT e.items) x) < e.items THEN 0
    ELSE e.items END
  FROM exam e LEFT JOIN LATERAL (SELECT a.* FROM exam_attempt a WHERE a.tenant = e.tenant AND a.worker = p_worker AND a.project = e.project
    ORDER BY a.id DESC LIMIT 1) l ON true WHERE e.tenant = p_project.tenant AND e.project = p_project.id
$$;

-- Whoever gives an exam back has left it: no result, nothing against them, and another after the time for a retake.
CREATE OR REPLACE FUNCTION exam_left(p_tenant uuid, p_project uuid, p_worker uuid, p_now timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  UPDATE exam_attempt SET state = {attempt.left}, ended_at = p_now
  WHERE tenant = p_tenant AND project = p_project AND worker = p_worker AND state = {attempt.open}
$$;

-- What was right in judgements that a worker made in an exam.
CREATE OR REPLACE FUNCTION exam_expected(p_tenant uuid, p_worker uuid, p_judgements uuid[])
RETURNS TABLE (judgement uuid, label text, expected text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT j.id, j.label, g.label FROM judgement j
  JOIN exam e ON e.tenant = j.tenant AND e.project = j.project
  JOIN gold g ON g.tenant = j.tenant AND g.task = j.task
  WHERE j.tenant = p_tenant AND j.worker = p_worker AND j.id = ANY (p_judgements)
$$;

-- Write down which were right; returns the attempt they belong to.
CREATE OR REPLACE FUNCTION exam_mark(p_tenant uuid, p_project uuid, p_worker uuid, p_judgements uuid[], p_right boolean[], p_now timestamptz)
RETURNS SETOF exam_attempt LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_attempt exam_attempt;
BEGIN
  SELECT * INTO v_attempt FROM exam_attempt a WHERE a.tenant = p_tenant AND a.worker = p_worker AND a.project = p_project
    ORDER BY a.id DESC LIMIT 1 FOR UPDATE;
  IF v_attempt.state = {attempt.open} THEN
    INSERT INTO exam_answer (tenant, judgement, attempt, task, is_right, at)
    SELECT p_tenant, j.id, v_attempt.id, j.task, x.is_right, p_now FROM unnest(p_judgements, p_right) AS x (judgement, is_right)
    JOIN judgement j ON j.tenant = p_tenant AND j.id = x.judgement AND j.worker = p_worker AND j.task = ANY (v_attempt.tasks)
    ON CONFLICT DO NOTHING;
    UPDATE exam_attempt a SET (answered, rights) = (SELECT count(*), count(*) FILTER (WHERE n.is_right) FROM exam_answer n
      WHERE n.tenant = p_tenant AND n.attempt = a.id) WHERE a.tenant = p_tenant AND a.id = v_attempt.id;
  END IF;
  RETURN QUERY SELECT * FROM exam_attempt a WHERE a.tenant = p_tenant AND a.id = v_attempt.id;
END $$;

-- The last answer ends it: by the interval, which the caller computed from the counts. Whether it is passed is decided here.
CREATE OR REPLACE FUNCTION exam_end(p_tenant uuid, p_attempt uuid, p_low real, p_high real, p_now timestamptz)
RETURNS SETOF exam_attempt LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_a exam_attempt;
BEGIN
  UPDATE exam_attempt a SET low = p_low, high = p_high, ended_at = p_now,
    state = CASE WHEN p_low >= a.at_least THEN {attempt.passed} ELSE {attempt.failed} END,
    expires_at = CASE WHEN p_low >= a.at_least THEN p_now + make_interval(days => e.valid_days) END
  FROM exam e WHERE a.tenant = p_tenant AND a.id = p_attempt AND a.state = {attempt.open} AND a.answered = cardinality(a.tasks)
    AND e.tenant = a.tenant AND e.project = a.project
  RETURNING a.* INTO v_a;
  IF FOUND THEN
    PERFORM event_append(p_tenant, 'exam.ended', v_a.id, v_a.project, jsonb_build_object('passed', v_a.state = {attempt.passed}), p_now);
  END IF;
  RETURN QUERY SELECT * FROM exam_attempt a WHERE a.tenant = p_tenant AND a.id = p_attempt;
END $$;

-- One's own answers of an attempt that has ended, with what would have been right where the exam tells it.
CREATE OR REPLACE FUNCTION exam_answers(p_tenant uuid, p_worker uuid, p_attempt uuid)
RETURNS TABLE (task uuid, item text, label text, expected text, is_right boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT x.task, (to_jsonb(s) || '{"hidden": true}')::text, j.label, CASE WHEN e.tells THEN g.label END, x.is_right
  FROM exam_attempt a JOIN exam e ON e.tenant = a.tenant AND e.project = a.project
  JOIN exam_answer x ON x.tenant = a.tenant AND x.attempt = a.id
  JOIN judgement j ON j.tenant = a.tenant AND j.id = x.judgement
  JOIN gold g ON g.tenant = a.tenant AND g.task = x.task
  JOIN task t ON t.tenant = a.tenant AND t.id = x.task
  JOIN item i ON i.tenant = t.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  CROSS JOIN LATERAL item_shown(i, md5(a.id::text || i.id::text)::uuid, b) s
  WHERE a.tenant = p_tenant AND a.worker = p_worker AND a.id = p_attempt AND a.state IN ({attempt.passed}, {attempt.failed})
  ORDER BY array_position(a.tasks, x.task)
$$;

GRANT EXECUTE ON FUNCTION exam_expected, exam_mark, exam_end, exam_answers TO cupola_gateway;
