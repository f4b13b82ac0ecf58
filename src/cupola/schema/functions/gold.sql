-- Gold, so that nobody who works can tell it. Where it stands in somebody's row of tasks is fixed by a number of the
-- project that nobody sees: the places are the same whether they claim one task or fifty, and how many tasks are left can be told to
-- them exactly, for it falls by one with each task of either sort.

-- Which of the next p_n places, counted from 1, are gold. A newcomer meets one in three in their first thirty.
CREATE OR REPLACE FUNCTION gold_places(p_seed bigint, p_worker uuid, p_place int, p_n int, p_rate real) RETURNS int[]
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(array_agg(n ORDER BY n), '{}') FROM uuid_hash_extended(p_worker, p_seed) AS own, generate_series(1, p_n) n
  WHERE ((hashint8extended(p_place + n, own) >> 17) & 16777215) / 16777216.0
    < CASE WHEN p_rate <= 0 THEN 0 WHEN p_place + n <= 30 THEN greatest(p_rate, 0.34) ELSE p_rate END
$$;

-- Golds that somebody has not met, in the order of their keys from p_from on and round once; a few are read, never all.
-- (Not what they met in an exam: they would know it again.)
CREATE OR REPLACE FUNCTION gold_draw(p_tenant uuid, p_project uuid, p_worker uuid, p_directed boolean, p_crews uuid[], p_past uuid[],
  p_from uuid, p_n int)
RETURNS TABLE (task uuid, key uuid) LANGUAGE sql STABLE AS $$
  (SELECT t.id, t.gold_key FROM task t, work_may(p_tenant, p_worker, t.id, t.crew, p_crews, p_past, p_directed, false, 0::smallint)
    WHERE t.tenant = p_tenant AND t.project = p_project AND t.gold AND t.state < {task.cancelled} AND t.gold_key > p_from
      AND NOT EXISTS (SELECT FROM exam_met m WHERE m.tenant = p_tenant AND m.worker = p_worker AND m.item = t.item)
    ORDER BY t.gold_key LIMIT p_n)
  UNION ALL
  (SELECT t.id, t.gold_key FROM task t, work_may(p_tenant, p_worker, t.id, t.crew, p_crews, p_past, p_directed, false, 0::smallint)
    WHERE t.tenant = p_tenant AND t.project = p_project AND t.gold AND t.state < {task.cancelled} AND t.gold_key <= p_from
      AND NOT EXISTS (SELECT FROM exam_met m WHERE m.tenant = p_tenant AND m.worker = p_worker AND m.item = t.item)
    ORDER BY t.gold_key LIMIT p_n)
  LIMIT p_n
$$;

-- What expired with somebody and was not taken up by them since, and comes back to them first: work that is still wanted,
-- and gold just as readily. Gold is always there, work is not: so gold comes back when most of the work of its page would;
-- from a page without work, while there is any (p_work) and fewer others than a task asks came past that place of the queue.
CREATE OR REPLACE FUNCTION work_back(p_tenant uuid, p_project uuid, p_worker uuid, p_directed boolean, p_crews uuid[], p_work boolean,
  p_rank bigint, p_asked int, p_stage smallint)
RETURNS TABLE (task uuid, gold boolean) LANGUAGE sql STABLE AS $$
  SELECT e.task, e.gold FROM (
      SELECT DISTINCT ON (l.task) l.task, l.gold, l.assignment FROM lease l
      WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.project = p_project AND l.stage = p_stage AND l.state = {lease.expired}
      ORDER BY l.task, l.assignment DESC) e
    JOIN task t ON t.tenant = p_tenant AND t.id = e.task
    CROSS JOIN LATERAL work_may(p_tenant, p_worker, t.id, t.crew, p_crews, '{}', p_directed, NOT e.gold, p_stage)
  WHERE CASE WHEN e.gold THEN t.state < {task.cancelled} AND coalesce((
      SELECT avg(CASE WHEN w.open_slots > 0 OR EXISTS (SELECT FROM lease m WHERE m.tenant = p_tenant AND m.worker = p_worker
          AND m.task = w.id AND m.state IN ({lease.open}, {lease.paid}, {lease.returned})) THEN 1.0 ELSE 0.0 END) >= 0.5
      FROM lease s JOIN task w ON w.tenant = p_tenant AND w.id = s.task
      WHERE s.tenant = p_tenant AND s.assignment = e.assignment AND s.state = {lease.expired} AND NOT s.gold),
      p_work AND p_asked > (SELECT count(*) FROM queue_cursor q WHERE q.tenant = p_tenant AND q.project = p_project
        AND q.worker <> p_worker AND q.stage = p_stage AND q.rank >= greatest(p_rank, 0)))
    ELSE t.open_slots > 0 AND t.stage = p_stage END
$$;

-- What expired with somebody, taken up since or not.
CREATE OR REPLACE FUNCTION work_past(p_tenant uuid, p_project uuid, p_worker uuid, p_stage smallint) RETURNS uuid[]
LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(DISTINCT l.task), '{}') FROM lease l
  WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.project = p_project AND l.stage = p_stage AND l.state = {lease.expired}
$$;

-- How many tasks of work are open to somebody, beside those that expired with them; counted up to p_limit.
CREATE OR REPLACE FUNCTION work_open(p_project project, p_worker uuid, p_crews uuid[], p_past uuid[], p_limit int, p_stage smallint)
RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_project.routing = 'directed' THEN
    RETURN (SELECT count(*) FROM (SELECT FROM invite i JOIN task t ON t.tenant = i.tenant AND t.id = i.task
      CROSS JOIN LATERAL work_may(p_project.tenant, p_worker, t.id, t.crew, p_crews, p_past, true, true, p_stage)
      WHERE i.tenant = p_project.tenant AND i.project = p_project.id AND i.worker = p_worker AND i.state = {invite.asked}
        AND t.open_slots > 0 AND t.stage = p_stage LIMIT p_limit) q);
  END IF;
  RETURN (SELECT count(*) FROM (SELECT FROM task t, work_may(p_project.tenant, p_worker, t.id, t.crew, p_crews, p_past, false, true, p_stage)
    WHERE t.tenant = p_project.tenant AND t.project = p_project.id AND t.open_slots > 0 AND t.stage = p_stage LIMIT p_limit) q);
END $$;
