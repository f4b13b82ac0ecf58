-- End what is still open of a page: returned by its holder or expired. The money goes back to the project.
CREATE OR REPLACE FUNCTION work_end(p_tenant uuid, p_assignment uuid, p_worker uuid, p_state smallint, p_reason text, p_note text,
  p_transfer uuid, p_now timestamptz)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_a assignment;
  v_held bigint;
  v_tasks uuid[];
  v_event bigint;
BEGIN
  -- a page is returned by its holder, or it expires: nothing else gives its money back
  IF p_state NOT IN ({page.returned}, {page.expired}) OR p_state = {page.returned} AND p_worker IS NULL THEN
    RAISE EXCEPTION 'a page ends returned by its holder, or expired' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO v_a FROM assignment WHERE tenant = p_tenant AND id = p_assignment
    AND (p_worker IS NULL OR worker = p_worker) FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such assignment' USING ERRCODE = 'no_data_found'; END IF;
  IF v_a.state <> {page.claimed} THEN RETURN 0; END IF;
  IF p_state = {page.expired} AND v_a.expires_at >= p_now THEN RETURN 0; END IF;  -- a heartbeat came first
  SELECT sum(hold_minor), array_agg(task ORDER BY task) INTO v_held, v_tasks FROM lease
    WHERE tenant = p_tenant AND assignment = p_assignment AND state = {lease.open} AND NOT under_review;
  UPDATE task SET leased = leased - 1, open_slots = open_slots + CASE WHEN state IN ({task.open}, {task.collecting}) THEN 1 ELSE 0 END
    WHERE tenant = p_tenant AND id IN (SELECT t.id FROM task t WHERE t.tenant = p_tenant AND t.id = ANY (v_tasks) AND NOT t.gold
      ORDER BY t.id FOR NO KEY UPDATE);
  UPDATE invite SET state = CASE WHEN p_state = {page.returned} THEN {invite.answered} ELSE {invite.asked} END
    WHERE tenant = p_tenant AND worker = v_a.worker AND task = ANY (v_tasks) AND state = {invite.answered};
  -- a draft of an expired page is offered back first
  UPDATE draft SET parked = true WHERE tenant = p_tenant AND worker = v_a.worker AND task = ANY (v_tasks) AND p_state = {page.expired};
  v_event := event_append(p_tenant, CASE p_state WHEN {page.returned} THEN 'assignment.returned' ELSE 'assignment.expired' END, p_assignment,
    v_a.project, jsonb_build_object('tasks', to_jsonb(v_tasks), 'reason', p_reason), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[p_transfer], ARRAY[p_transfer], ARRAY['release'],
    ARRAY[account_id(p_tenant, 'escrow', v_a.project, NULL, v_a.slot, v_a.currency)],
    ARRAY[account_id(p_tenant, 'project_budget', v_a.project, NULL, 0, v_a.currency)],
    ARRAY[v_held], p_assignment, v_a.offer_version, v_event, p_now);
  UPDATE lease SET state = p_state, ended_by = p_transfer WHERE tenant = p_tenant AND assignment = p_assignment
    AND state = {lease.open} AND NOT under_review;
  UPDATE assignment SET state = p_state, open = 0, ended_at = p_now, return_reason = p_reason, return_note = p_note
    WHERE tenant = p_tenant AND id = p_assignment;
  IF p_state = {page.returned} THEN PERFORM exam_left(p_tenant, v_a.project, v_a.worker, p_now); END IF;
  RETURN cardinality(v_tasks);
END $$;

-- Keep a page for longer: for who works, not for an open tab. It ends a lease, or half an hour where that is longer, after its
-- holder last did something (claimed, drafted, submitted, here or elsewhere in the tenant), and a day after the claim.
CREATE OR REPLACE FUNCTION work_heartbeat(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_now timestamptz)
RETURNS timestamptz LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  UPDATE assignment a SET heartbeat_at = p_now,
    expires_at = greatest(a.expires_at, least(p_now + make_interval(secs => p.lease_s), a.claimed_at + interval '24 hours',
      (SELECT max(x.at) FROM (
        SELECT max(o.claimed_at) AS at FROM assignment o WHERE o.tenant = p_tenant AND o.worker = p_worker AND o.state = {page.claimed}
        UNION ALL SELECT max(d.at) FROM draft d WHERE d.tenant = p_tenant AND d.worker = p_worker
        UNION ALL SELECT max(j.at) FROM judgement j WHERE j.tenant = p_tenant AND j.worker = p_worker) x)
      + make_interval(secs => greatest(p.lease_s, 1800))))
  FROM project p
  WHERE a.tenant = p_tenant AND a.id = p_assignment AND a.worker = p_worker AND a.fence = p_fence AND a.state = {page.claimed}
    AND a.expires_at >= p_now AND p.tenant = p_tenant AND p.id = a.project
  RETURNING a.expires_at
$$;

-- The page that took over a task from an earlier one of its holder: open now, under a higher fence. What comes late from the
-- earlier page must not write over what is worked on there.
CREATE OR REPLACE FUNCTION work_newer(p_tenant uuid, p_worker uuid, p_task uuid, p_stage smallint, p_fence bigint) RETURNS uuid
LANGUAGE sql STABLE AS $$
  SELECT a.id FROM lease l JOIN assignment a ON a.tenant = l.tenant AND a.id = l.assignment
  WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = p_task AND l.stage = p_stage AND l.state = {lease.open}
    AND a.fence > p_fence
$$;

-- Whether drafts of a task may still be kept under a page: it is open there, or it ended there without being judged since.
-- Raises stale-fence where a newer page of the same person holds it.
CREATE OR REPLACE FUNCTION may_draft(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_task uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE v_state smallint; v_stage smallint;
BEGIN
  SELECT CASE WHEN l.under_review THEN {lease.paid} ELSE l.state END, l.stage INTO v_state, v_stage FROM lease l JOIN assignment a ON a.tenant = l.tenant AND a.id = l.assignment
    WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.task = p_task AND a.fence = p_fence;
  IF v_state = {lease.open} THEN RETURN true; END IF;
  IF v_state IS NULL OR v_state NOT IN ({lease.returned}, {lease.expired}) THEN RETURN false; END IF;
  IF work_newer(p_tenant, p_worker, p_task, v_stage, p_fence) IS NOT NULL THEN
    RAISE EXCEPTION 'stale-fence' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN NOT EXISTS (SELECT FROM judgement j WHERE j.tenant = p_tenant AND j.task = p_task AND j.worker = p_worker
    AND j.stage = v_stage);
END $$;

-- Bytes of what a person has begun in the tenant, one task aside.
CREATE OR REPLACE FUNCTION draft_bytes(p_tenant uuid, p_worker uuid, p_beside uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT coalesce(sum(label_bytes(d.label) + (SELECT coalesce(sum(octet_length(x)), 0) FROM unnest(d.patches) x)), 0)
  FROM draft d WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task <> p_beside
$$;

-- Keep unfinished work as a whole; no row for a task that is judged, or not on the page (see may_draft). p_max_bytes: of all drafts of one
-- person in the tenant together, so that whatever answers with drafts has a bound. Answers with what is held now.
CREATE OR REPLACE FUNCTION work_draft(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_task uuid, p_writer text,
  p_label text, p_rev int, p_max_bytes bigint, p_now timestamptz)
RETURNS TABLE (rev int, writer text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT may_draft(p_tenant, p_assignment, p_worker, p_fence, p_task) THEN RETURN; END IF;
  IF label_bytes(p_label) + draft_bytes(p_tenant, p_worker, p_task) > p_max_bytes THEN
    RAISE EXCEPTION 'drafts-too-large' USING ERRCODE = 'program_limit_exceeded';
  END IF;
  -- an older revision that arrives late changes nothing
  RETURN QUERY INSERT INTO draft AS d (tenant, worker, task, label, rev, parked, at, writer, base_rev)
  SELECT p_tenant, p_worker, l.task, p_label, p_rev, l.state <> {lease.open}, p_now, p_writer, p_rev
  FROM lease l WHERE l.tenant = p_tenant AND l.assignment = p_assignment AND l.worker = p_worker AND l.task = p_task
  ON CONFLICT (tenant, worker, task) DO UPDATE SET
    label = CASE WHEN excluded.rev > d.rev THEN excluded.label ELSE d.label END,
    writer = CASE WHEN excluded.rev > d.rev THEN excluded.writer ELSE d.writer END,
    base_rev = CASE WHEN excluded.rev > d.rev THEN excluded.base_rev ELSE d.base_rev END,
    patches = CASE WHEN excluded.rev > d.rev THEN '{}' ELSE d.patches END,
    patch_revs = CASE WHEN excluded.rev > d.rev THEN '{}' ELSE d.patch_revs END,
    rev = greatest(excluded.rev, d.rev), at = excluded.at
  RETURNING d.rev, d.writer;
END $$;

-- Keep the difference from revision p_base, which this writer was told is held, to p_rev. taken: false where the base is not
-- here (any more): the whole is wanted then. What came after the base from the same writer gives way: its answer was lost, and
-- the new difference holds it. One that arrives late, or twice, changes nothing. No row as above.
CREATE OR REPLACE FUNCTION work_draft_patch(p_tenant uuid, p_assignment uuid, p_worker uuid, p_fence bigint, p_task uuid,
  p_writer text, p_base int, p_rev int, p_patch text, p_max_bytes bigint, p_now timestamptz)
RETURNS TABLE (rev int, writer text, taken boolean, patches int) LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE v draft; v_keep int;
BEGIN
  IF NOT may_draft(p_tenant, p_assignment, p_worker, p_fence, p_task) THEN RETURN; END IF;
  SELECT * INTO v FROM draft d WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task = p_task FOR UPDATE;
  IF v.rev IS NULL OR v.writer <> p_writer THEN
    RETURN QUERY SELECT coalesce(v.rev, 0), coalesce(v.writer, ''), false, 0;
    RETURN;
  END IF;
  IF p_rev <= v.rev THEN
    RETURN QUERY SELECT v.rev, v.writer, true, cardinality(v.patches);
    RETURN;
  END IF;
  v_keep := CASE WHEN p_base = v.base_rev THEN 0 ELSE array_position(v.patch_revs, p_base) END;
  IF v_keep IS NULL THEN
    RETURN QUERY SELECT v.rev, v.writer, false, 0;
    RETURN;
  END IF;
  IF label_bytes(v.label) + octet_length(p_patch) + (SELECT coalesce(sum(octet_length(x)), 0) FROM unnest(v.patches[1:v_keep]) x)
      + draft_bytes(p_tenant, p_worker, p_task) > p_max_bytes THEN
    RAISE EXCEPTION 'drafts-too-large' USING ERRCODE = 'program_limit_exceeded';
  END IF;
  UPDATE draft d SET rev = p_rev, at = p_now, patch_revs = v.patch_revs[1:v_keep] || p_rev, patches = v.patches[1:v_keep] || p_patch
    WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task = p_task;
  RETURN QUERY SELECT p_rev, p_writer, true, v_keep + 1;
END $$;

-- The differences of a draft gathered into one whole, which is the same work.
CREATE OR REPLACE FUNCTION work_draft_gather(p_tenant uuid, p_worker uuid, p_task uuid, p_rev int, p_label text) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  UPDATE draft d SET label = p_label, base_rev = p_rev, patch_revs = '{}', patches = '{}'
    WHERE d.tenant = p_tenant AND d.worker = p_worker AND d.task = p_task AND d.rev = p_rev
  RETURNING d.rev
$$;

-- A requester's side ends only what has run out: a page that somebody works on is theirs.
CREATE OR REPLACE FUNCTION work_expire(p_tenant uuid, p_assignment uuid, p_transfer uuid, p_now timestamptz)
RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT work_end(p_tenant, p_assignment, NULL, {page.expired}::smallint, NULL, NULL, p_transfer, p_now)
$$;

GRANT EXECUTE ON FUNCTION work_end TO cupola_gateway;
GRANT EXECUTE ON FUNCTION work_expire TO cupola_app;
GRANT EXECUTE ON FUNCTION work_heartbeat, work_draft, work_draft_patch, work_draft_gather TO cupola_gateway;
