-- How far a worker is in a training project. It is passed when, of the last `counted` answers (ten, or all tasks where
-- there are fewer), `needed` were right: what went wrong at first is forgotten by going on.
CREATE OR REPLACE FUNCTION work_training(p_tenant uuid, p_project uuid, p_worker uuid)
RETURNS TABLE (tasks int, answered int, "right" int, counted int, needed int, passed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT n.tasks, n.answered, n.right, n.counted, ceil(n.counted * n.pass_share::numeric)::int,
    EXISTS (SELECT FROM training_pass x WHERE x.tenant = p_tenant AND x.project = n.trains AND x.worker = p_worker)
  FROM (SELECT p.trains, p.pass_share, c.tasks, least(c.tasks, 10) AS counted,
      (SELECT count(*)::int FROM training_answer a WHERE a.tenant = p_tenant AND a.project = p_project AND a.worker = p_worker) AS answered,
      (SELECT count(*)::int FROM (SELECT a.is_right FROM training_answer a WHERE a.tenant = p_tenant AND a.project = p_project
        AND a.worker = p_worker ORDER BY a.at DESC, a.is_right DESC LIMIT least(c.tasks, 10)) last WHERE last.is_right) AS "right"
    FROM project p CROSS JOIN LATERAL (SELECT count(*)::int AS tasks FROM task t WHERE t.tenant = p_tenant
      AND t.project = p_project AND t.gold AND t.state < {task.cancelled}) c
    WHERE p.tenant = p_tenant AND p.id = p_project AND p.trains IS NOT NULL) n
$$;

-- What was right in judgements that a worker made in training; nothing of anybody else's, and nothing of hidden gold.
CREATE OR REPLACE FUNCTION work_training_expected(p_tenant uuid, p_worker uuid, p_judgements uuid[])
RETURNS TABLE (judgement uuid, label text, expected text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT j.id, j.label, g.label FROM judgement j
  JOIN project p ON p.tenant = j.tenant AND p.id = j.project AND p.trains IS NOT NULL
  JOIN gold g ON g.tenant = j.tenant AND g.task = j.task
  WHERE j.tenant = p_tenant AND j.worker = p_worker AND j.id = ANY (p_judgements)
$$;

-- Write down which of them were right, and open the project to who passed.
CREATE OR REPLACE FUNCTION work_training_mark(p_tenant uuid, p_project uuid, p_worker uuid, p_judgements uuid[], p_right boolean[],
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

GRANT EXECUTE ON FUNCTION work_training, work_training_expected, work_training_mark TO cupola_gateway;
