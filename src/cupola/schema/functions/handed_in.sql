-- Files that contributors hand in as answers; members reach the table by themselves.

-- How many bytes somebody may still hand in: p_bytes since p_since, all items together. -1: p_most files of theirs stand at
-- this item already. Of members as of contributors.
CREATE OR REPLACE FUNCTION may_hand_in(p_tenant uuid, p_item uuid, p_giver uuid, p_most int, p_bytes bigint, p_since timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cupola, pg_temp AS $$
BEGIN
  IF (SELECT count(*) FROM handed_in h WHERE h.tenant = p_tenant AND h.item = p_item AND h.giver = p_giver) >= p_most THEN
    RETURN -1;
  END IF;
  RETURN greatest(0, p_bytes - coalesce((SELECT sum(h.bytes) FROM handed_in h
    WHERE h.tenant = p_tenant AND h.giver = p_giver AND h.at > p_since), 0));
END $$;

-- The same of a worker for a task that they hold; asked before anything of a file is read. NULL: they do not hold it.
CREATE OR REPLACE FUNCTION work_may_hand_in(p_tenant uuid, p_worker uuid, p_assignment uuid, p_task uuid, p_most int, p_bytes bigint,
  p_since timestamptz)
RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT may_hand_in(p_tenant, t.item, p_worker, p_most, p_bytes, p_since)
  FROM lease l JOIN task t ON t.tenant = l.tenant AND t.id = l.task
  WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.task = p_task AND l.state = {lease.open}
    AND NOT l.under_review
$$;

-- Note a file for the item of a task that the worker holds, where they still may (work_may_hand_in). What is returned is what
-- they might have handed in before it; where that is less than the file has, nothing was noted.
CREATE OR REPLACE FUNCTION work_hand_in(p_tenant uuid, p_worker uuid, p_assignment uuid, p_task uuid, p_sha256 bytea, p_name text,
  p_media_type text, p_bytes bigint, p_most int, p_most_bytes bigint, p_since timestamptz, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_room bigint;
BEGIN
  -- one of theirs at a time, whatever they hold: each is counted before the next
  PERFORM FROM contributor c WHERE c.tenant = p_tenant AND c.worker = p_worker FOR NO KEY UPDATE;
  PERFORM FROM lease l WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.task = p_task
    AND l.state = {lease.open} AND NOT l.under_review FOR UPDATE;
  v_room := work_may_hand_in(p_tenant, p_worker, p_assignment, p_task, p_most, p_most_bytes, p_since);
  IF v_room >= p_bytes THEN
    INSERT INTO handed_in (tenant, item, giver, sha256, name, media_type, bytes, at)
      SELECT p_tenant, t.item, p_worker, p_sha256, p_name, p_media_type, p_bytes, p_now FROM task t
      WHERE t.tenant = p_tenant AND t.id = p_task ON CONFLICT DO NOTHING;
  END IF;
  RETURN v_room;
END $$;

-- The files that a worker's labels on a page may name: their own and, in a review, what others handed in for the same items.
CREATE OR REPLACE FUNCTION work_handed_in(p_tenant uuid, p_worker uuid, p_assignment uuid)
RETURNS TABLE (task uuid, sha256 bytea, name text, media_type text, bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);  -- asked beside a submit, it is its own transaction
  RETURN QUERY SELECT t.id, h.sha256, h.name, h.media_type, h.bytes FROM assignment a
    JOIN lease l ON l.tenant = a.tenant AND l.assignment = a.id
    JOIN task t ON t.tenant = l.tenant AND t.id = l.task
    JOIN handed_in h ON h.tenant = t.tenant AND h.item = t.item
  WHERE a.tenant = p_tenant AND a.worker = p_worker AND a.id = p_assignment AND (h.giver = p_worker OR a.stage > 0);
END $$;

-- The media type of a file that a worker may look at: one that their label of a task may name. NULL: none.
CREATE OR REPLACE FUNCTION work_file_type(p_tenant uuid, p_worker uuid, p_assignment uuid, p_task uuid, p_sha256 bytea) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT h.media_type FROM work_handed_in(p_tenant, p_worker, p_assignment) h
  WHERE h.task = p_task AND h.sha256 = p_sha256 LIMIT 1
$$;

GRANT EXECUTE ON FUNCTION work_may_hand_in, work_hand_in, work_handed_in, work_file_type TO cupola_gateway;
GRANT EXECUTE ON FUNCTION may_hand_in TO cupola_app;
-- asked beside a submit, which the server's own role makes
GRANT EXECUTE ON FUNCTION work_handed_in TO cupola_server;
