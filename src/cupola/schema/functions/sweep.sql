-- What is kept for a while only (kernel/retention.py says how long). Both functions see the caller's tenant alone, and what
-- belongs to none.

-- The rows of a kind that are old enough, at most p_limit of them.
CREATE OR REPLACE FUNCTION sweep_found(p_kind text, p_before timestamptz, p_limit int) RETURNS SETOF tid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_tenant uuid := current_tenant();
BEGIN
  CASE p_kind
  WHEN 'answers' THEN
    RETURN QUERY SELECT i.ctid FROM idempotency i WHERE i.tenant = v_tenant AND i.at < p_before ORDER BY i.at LIMIT p_limit;
  WHEN 'drafts' THEN
    -- A draft is written every few seconds, so no index stands on its time: there are never more of them than of work
    -- that was begun. A task that was cancelled has no time of its own.
    RETURN QUERY SELECT d.ctid FROM draft d JOIN task t ON t.tenant = d.tenant AND t.id = d.task
      WHERE d.tenant = v_tenant AND d.at < p_before AND t.state IN ({task.settled}, {task.cancelled}) AND coalesce(t.settled_at, d.at) < p_before
        AND NOT EXISTS (SELECT FROM lease l WHERE l.tenant = d.tenant AND l.worker = d.worker AND l.task = d.task AND l.state = {lease.open})
      LIMIT p_limit;
  WHEN 'refusals' THEN
    RETURN QUERY SELECT r.ctid FROM import_run i JOIN import_refusal r ON r.tenant = i.tenant AND r.import = i.id
      WHERE i.tenant = v_tenant AND i.state IN ('done', 'failed') AND i.finished_at < p_before LIMIT p_limit;
  WHEN 'models' THEN
    -- The newest stays, and each by which something was settled: that decision can be made again from it.
    RETURN QUERY SELECT m.ctid FROM model_version m WHERE m.tenant = v_tenant
      AND EXISTS (SELECT FROM model_version n WHERE n.tenant = m.tenant AND n.project = m.project AND n.version > m.version
        AND n.at < p_before)
      AND NOT EXISTS (SELECT FROM settlement s WHERE s.tenant = m.tenant AND s.project = m.project
        AND s.model_version = m.version)
      LIMIT p_limit;
  WHEN 'webhooks' THEN
    RETURN QUERY SELECT d.ctid FROM webhook_delivery d WHERE d.tenant = v_tenant AND d.created_at < p_before
      AND d.state <> 'waiting' ORDER BY d.created_at LIMIT p_limit;
  WHEN 'callbacks' THEN
    RETURN QUERY SELECT c.ctid FROM order_callback c WHERE c.tenant = v_tenant AND c.created_at < p_before
      AND c.state <> 'waiting' ORDER BY c.created_at LIMIT p_limit;
  WHEN 'events' THEN
    -- not what a consumer, or a project that is set aside, has still to hear
    RETURN QUERY SELECT e.ctid FROM event e WHERE e.tenant = v_tenant AND e.at < p_before
      AND EXISTS (SELECT FROM event_floor() f WHERE (e.epoch, e.xid, e.seq) < (f.epoch, f.xid, f.seq))
      ORDER BY e.epoch, e.xid, e.seq LIMIT p_limit;
  WHEN 'exports' THEN
    RETURN QUERY SELECT e.ctid FROM export e WHERE e.tenant = v_tenant AND e.state IN ('done', 'failed')
      AND coalesce(e.finished_at, e.created_at) < p_before LIMIT p_limit;
  WHEN 'unused' THEN
    -- No label can name it: since it came, whoever gave it has said nothing of its item, has no draft of it, and nobody else
    -- may name what others gave (who reviews, adjudicates or audits).
    RETURN QUERY SELECT h.ctid FROM handed_in h WHERE h.tenant = v_tenant AND h.at < p_before
      AND NOT EXISTS (SELECT FROM task t JOIN draft d ON d.tenant = t.tenant AND d.task = t.id
        WHERE t.tenant = h.tenant AND t.item = h.item)
      AND NOT EXISTS (SELECT FROM task t JOIN judgement j ON j.tenant = t.tenant AND j.task = t.id
        WHERE t.tenant = h.tenant AND t.item = h.item AND j.at >= h.at AND (j.worker = h.giver OR j.stage > 0))
      AND NOT EXISTS (SELECT FROM task t JOIN adjudication a ON a.tenant = t.tenant AND a.task = t.id
        WHERE t.tenant = h.tenant AND t.item = h.item AND a.at >= h.at)
      AND NOT EXISTS (SELECT FROM task t JOIN release o ON o.tenant = t.tenant AND o.project = t.project
        JOIN release_row r ON r.tenant = o.tenant AND r.release = o.id AND r.task = t.id
        JOIN audit_item i ON i.tenant = r.tenant AND i.release = r.release AND i.row = r.position
        JOIN audit_judgement a ON a.tenant = i.tenant AND a.audit_item = i.id
        WHERE t.tenant = h.tenant AND t.item = h.item AND a.at >= h.at)
      LIMIT p_limit;
  WHEN 'sessions' THEN  -- of no tenant, as the next: asked for by the operator's side
    RETURN QUERY SELECT s.ctid FROM person_session s WHERE s.expires_at < p_before LIMIT p_limit;
  WHEN 'beats' THEN
    RETURN QUERY SELECT b.ctid FROM process_beat b WHERE b.at < p_before LIMIT p_limit;
  WHEN 'jobs' THEN
    RETURN QUERY SELECT j.ctid FROM job j WHERE j.tenant = v_tenant AND j.failed_at < p_before ORDER BY j.failed_at LIMIT p_limit;
  END CASE;
END $$;

-- The earliest place that somebody who hears the tenant's events may still have to hear; no row where nobody has begun.
CREATE OR REPLACE FUNCTION event_floor() RETURNS TABLE (epoch int, xid xid8, seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE v_tenant uuid := current_tenant();
BEGIN
  RETURN QUERY SELECT x.epoch, x.xid, x.seq FROM (
    SELECT p.epoch, p.xid, p.seq FROM event_place p WHERE p.tenant = v_tenant
    UNION ALL SELECT a.epoch, a.xid, a.seq FROM event_aside a WHERE a.tenant = v_tenant
    UNION ALL SELECT c.epoch, c.xid, c.seq FROM event_cursor c WHERE NOT EXISTS (
      SELECT FROM event_place p WHERE p.tenant = v_tenant AND p.consumer = c.consumer)) x
    ORDER BY x.epoch, x.xid, x.seq LIMIT 1;
END $$;

-- Takes away at most p_limit of them and returns how many. A row that somebody holds, or changed meanwhile, stays.
CREATE OR REPLACE FUNCTION sweep(p_kind text, p_before timestamptz, p_limit int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_found tid[] := ARRAY(SELECT sweep_found(p_kind, p_before, p_limit));
  v_table text := CASE p_kind WHEN 'answers' THEN 'idempotency' WHEN 'drafts' THEN 'draft' WHEN 'refusals' THEN 'import_refusal'
    WHEN 'models' THEN 'model_version' WHEN 'webhooks' THEN 'webhook_delivery' WHEN 'callbacks' THEN 'order_callback' WHEN 'jobs' THEN 'job'
    WHEN 'events' THEN 'event' WHEN 'exports' THEN 'export' WHEN 'unused' THEN 'handed_in' WHEN 'sessions' THEN 'person_session' WHEN 'beats' THEN 'process_beat' END;
  v_gone int;
BEGIN
  PERFORM set_config('cupola.sweeping', p_kind, true);
  EXECUTE format('WITH free AS MATERIALIZED (SELECT ctid FROM %1$I WHERE ctid = ANY ($1) FOR UPDATE SKIP LOCKED) '
    'DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM free))', v_table) USING v_found;
  GET DIAGNOSTICS v_gone = ROW_COUNT;
  PERFORM set_config('cupola.sweeping', '', true);
  IF p_kind = 'events' AND v_gone > 0 THEN  -- so that the books know which events may be gone
    INSERT INTO event_cut (tenant, before) VALUES (current_tenant(), p_before)
      ON CONFLICT (tenant) DO UPDATE SET before = greatest(event_cut.before, excluded.before);
  END IF;
  RETURN v_gone;
END $$;

-- Which of these blobs of the tenant something names: what is not among them may go, once it is old. p_sizes: bytes of each.
CREATE OR REPLACE FUNCTION blobs_named(p_sha256s text[], p_sizes bigint[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_tenant uuid := current_tenant();
BEGIN
  RETURN QUERY SELECT x.sha FROM unnest(p_sha256s, p_sizes) AS x (sha, size)
    CROSS JOIN LATERAL (SELECT decode(x.sha, 'hex') AS sum, '@' || x.sha || ':' || x.size AS label) n
    WHERE EXISTS (SELECT FROM blob b WHERE b.tenant = v_tenant AND b.sha256 = n.sum)  -- items and their parts name no other
      OR EXISTS (SELECT FROM blob b WHERE b.tenant = v_tenant AND b.thumb_sha256 = n.sum AND b.thumb_sha256 IS NOT NULL)
      OR EXISTS (SELECT FROM order_file f WHERE f.tenant = v_tenant AND f.asset = n.sum)
      OR EXISTS (SELECT FROM export e WHERE e.tenant = v_tenant AND e.sha256 = n.sum)
      OR EXISTS (SELECT FROM handed_in h WHERE h.tenant = v_tenant AND h.sha256 = n.sum)
      OR EXISTS (SELECT FROM learned_version l WHERE l.tenant = v_tenant AND l.sha256 = n.sum)
      OR EXISTS (SELECT FROM learning_run l WHERE l.tenant = v_tenant AND l.out_of_fold = n.sum AND l.out_of_fold IS NOT NULL)
      -- an import that has not ended well goes on from its file
      OR EXISTS (SELECT FROM import_run r WHERE r.tenant = v_tenant AND r.state <> 'done'
        AND starts_with(r.source ->> 'upload', x.sha))
      OR EXISTS (SELECT FROM judgement j WHERE j.tenant = v_tenant AND j.label = n.label AND starts_with(j.label, '@'))
      OR EXISTS (SELECT FROM submission s WHERE s.tenant = v_tenant AND s.label = n.label AND starts_with(s.label, '@'))
      OR EXISTS (SELECT FROM submission_rejection r WHERE r.tenant = v_tenant AND r.corrected = n.label
        AND starts_with(r.corrected, '@'))
      OR EXISTS (SELECT FROM settlement s WHERE s.tenant = v_tenant AND s.label = n.label AND starts_with(s.label, '@'))
      OR EXISTS (SELECT FROM settlement_part s WHERE s.tenant = v_tenant AND s.label = n.label AND starts_with(s.label, '@'))
      OR EXISTS (SELECT FROM adjudication a WHERE a.tenant = v_tenant AND a.label = n.label AND starts_with(a.label, '@'))
      OR EXISTS (SELECT FROM audit_judgement a WHERE a.tenant = v_tenant AND a.label = n.label AND starts_with(a.label, '@'))
      OR EXISTS (SELECT FROM gold g WHERE g.tenant = v_tenant AND g.label = n.label AND starts_with(g.label, '@'))
      OR EXISTS (SELECT FROM opinion o WHERE o.tenant = v_tenant AND o.label = n.label AND starts_with(o.label, '@'))
      OR EXISTS (SELECT FROM item i WHERE i.tenant = v_tenant AND i.pre_label = n.label AND starts_with(i.pre_label, '@'))
      OR EXISTS (SELECT FROM item i WHERE i.tenant = v_tenant AND i.gold_label = n.label AND starts_with(i.gold_label, '@'))
      OR EXISTS (SELECT FROM draft d WHERE d.tenant = v_tenant AND d.label = n.label);
END $$;

GRANT EXECUTE ON FUNCTION sweep_found, sweep TO cupola_app, cupola_ops;
GRANT EXECUTE ON FUNCTION blobs_named TO cupola_app;
