-- Files that contributors hand in as answers; members reach the table by themselves.

-- Note a file for the item of a task that the worker holds. taken: how many of theirs stand there then; -1: one more would be
-- more than p_most, and nothing was noted. NULL: they do not hold it.
CREATE OR REPLACE FUNCTION work_hand_in(p_tenant uuid, p_worker uuid, p_assignment uuid, p_task uuid, p_sha256 bytea, p_name text,
  p_media_type text, p_bytes bigint, p_most int, p_now timestamptz)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_item uuid; v_there int;
BEGIN
  SELECT t.item INTO v_item FROM lease l JOIN task t ON t.tenant = l.tenant AND t.id = l.task
    WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.task = p_task
      AND l.state = {lease.open} FOR UPDATE OF l;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT count(*) INTO v_there FROM handed_in h WHERE h.tenant = p_tenant AND h.item = v_item AND h.giver = p_worker;
  IF v_there >= p_most THEN RETURN -1; END IF;
  INSERT INTO handed_in (tenant, item, giver, sha256, name, media_type, bytes, at)
    VALUES (p_tenant, v_item, p_worker, p_sha256, p_name, p_media_type, p_bytes, p_now) ON CONFLICT DO NOTHING;
  RETURN v_there + 1;
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

GRANT EXECUTE ON FUNCTION work_hand_in, work_handed_in, work_file_type TO cupola_gateway;
-- asked beside a submit, which the server's own role makes
GRANT EXECUTE ON FUNCTION work_handed_in TO cupola_server;
