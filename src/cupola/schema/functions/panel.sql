-- Appeals: filed, answered, decided by three who belong to neither side. Whoever sits is paid by time, however they decide.

-- The tenant's own acceptance of what waits; returns how many were accepted.
CREATE OR REPLACE FUNCTION submissions_agree(p_tenant uuid, p_ids uuid[], p_now timestamptz) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT submissions_accept(p_tenant, ARRAY(SELECT s.id FROM submission s WHERE s.tenant = p_tenant AND s.id = ANY (p_ids)
    AND s.state = {submission.waiting}), p_now)
$$;

-- A worker appeals against the rejection of their own work, once, and in time. NULL: there is no such rejection of theirs.
CREATE OR REPLACE FUNCTION appeal_file(p_tenant uuid, p_worker uuid, p_submission uuid, p_id uuid, p_words text, p_now timestamptz) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_s submission; v_by timestamptz; v_have uuid;
BEGIN
  SELECT s.* INTO v_s FROM submission s WHERE s.tenant = p_tenant AND s.id = p_submission AND s.worker = p_worker FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT a.id INTO v_have FROM appeal a WHERE a.tenant = p_tenant AND a.submission = p_submission;
  IF FOUND THEN RETURN v_have; END IF;
  SELECT appeal_until(p_tenant, v_s.project, r.at, r.appeal_by) INTO v_by FROM submission_rejection r WHERE r.tenant = p_tenant AND r.submission = p_submission;
  IF NOT FOUND THEN RAISE EXCEPTION 'not-rejected' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  IF v_s.state <> {submission.rejected} OR v_by <= p_now THEN
    RAISE EXCEPTION 'appeal-late' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO appeal (tenant, id, submission, worker, words, at, answer_by, panel_by)
    VALUES (p_tenant, p_id, p_submission, p_worker, p_words, p_now, p_now + interval '72 hours', p_now + interval '14 days');
  PERFORM event_append(p_tenant, 'appeal.filed', p_id, v_s.project, jsonb_build_object('submission', p_submission), p_now);
  RETURN p_id;
END $$;

-- The tenant answers: it takes the rejection back, or stands by it and reserves what the panel costs at most.
CREATE OR REPLACE FUNCTION appeal_answer(p_tenant uuid, p_appeal uuid, p_stands boolean, p_words text, p_seat_minor bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_ap appeal; v_a assignment; v_id uuid := uuidv7(); v_event bigint;
BEGIN
  SELECT * INTO v_ap FROM appeal WHERE tenant = p_tenant AND id = p_appeal FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such appeal' USING ERRCODE = 'no_data_found'; END IF;
  IF v_ap.state <> {appeal.filed} OR v_ap.answer_by <= p_now THEN
    RAISE EXCEPTION 'appeal-answered' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  SELECT a.* INTO v_a FROM assignment a JOIN submission s ON s.tenant = a.tenant AND s.assignment = a.id
    WHERE s.tenant = p_tenant AND s.id = v_ap.submission;
  IF NOT p_stands THEN
    UPDATE appeal SET answer = p_words, answered_at = p_now WHERE tenant = p_tenant AND id = p_appeal;
    PERFORM rejection_end(p_tenant, v_ap.submission, false, 'conceded', p_now);
    RETURN;
  END IF;
  v_event := event_append(p_tenant, 'appeal.contested', p_appeal, v_a.project, '{}', p_now);
  PERFORM ledger_post(p_tenant, ARRAY[v_id], ARRAY[v_id], ARRAY['hear'],
    ARRAY[account_open(p_tenant, 'project_budget', v_a.project, NULL, 0, v_a.currency, p_now)],
    ARRAY[account_open(p_tenant, 'hearing_reserve', v_a.project, NULL, 0, v_a.currency, p_now)],
    ARRAY[3 * p_seat_minor], p_appeal, NULL, v_event, p_now);
  UPDATE appeal SET state = {appeal.panel}, answer = p_words, answered_at = p_now, seat_minor = p_seat_minor
    WHERE tenant = p_tenant AND id = p_appeal;
END $$;

-- What a hearing did not cost goes back to the project.
CREATE OR REPLACE FUNCTION hearing_close(p_tenant uuid, p_submission uuid, p_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE v_ap appeal; v_a assignment; v_left bigint; v_id uuid := uuidv7(); v_event bigint;
BEGIN
  SELECT * INTO v_ap FROM appeal WHERE tenant = p_tenant AND submission = p_submission;
  IF v_ap.seat_minor IS NULL THEN RETURN; END IF;
  SELECT a.* INTO v_a FROM assignment a JOIN submission s ON s.tenant = a.tenant AND s.assignment = a.id
    WHERE s.tenant = p_tenant AND s.id = p_submission;
  v_left := 3 * v_ap.seat_minor - coalesce((SELECT sum(t.amount_minor) FROM transfer t
    WHERE t.tenant = p_tenant AND t.ref = v_ap.id AND t.kind = 'hearing'), 0);
  IF v_left <= 0 THEN RETURN; END IF;
  v_event := event_append(p_tenant, 'money.moved', v_id, v_a.project, '{"kind": "unhear"}', p_now);
  PERFORM ledger_post(p_tenant, ARRAY[v_id], ARRAY[v_id], ARRAY['unhear'],
    ARRAY[account_id(p_tenant, 'hearing_reserve', v_a.project, NULL, 0, v_a.currency)],
    ARRAY[account_id(p_tenant, 'project_budget', v_a.project, NULL, 0, v_a.currency)], ARRAY[v_left], v_ap.id, NULL, v_event, p_now);
END $$;

-- A case as who decides it sees it: the item, the label, what is said on both sides. Not whose it is, nor of which tenant.
CREATE OR REPLACE FUNCTION panel_case(p_tenant uuid, p_appeal uuid, p_person uuid)
RETURNS TABLE (kind text, ontology_version uuid, item text, label text, reason text, place text, part text, note text, evidence text, corrected text,
  words text, answer text, panel_by timestamptz, currency text, seat_minor bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT p.kind, p.ontology_version, (to_jsonb(x) || '{"hidden": true}')::text, s.label, r.reason, r.place, r.part, r.note, r.evidence,
    CASE WHEN r.evidence = 'gold' THEN g.label ELSE r.corrected END, a.words, a.answer, a.panel_by, p.currency, a.seat_minor
  FROM appeal a
  JOIN panel_seat e ON e.tenant = a.tenant AND e.appeal = a.id AND e.person = p_person
  JOIN submission s ON s.tenant = a.tenant AND s.id = a.submission
  JOIN submission_rejection r ON r.tenant = a.tenant AND r.submission = a.submission
  JOIN project p ON p.tenant = a.tenant AND p.id = s.project
  JOIN task t ON t.tenant = a.tenant AND t.id = s.task
  JOIN item i ON i.tenant = a.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  LEFT JOIN gold g ON g.tenant = a.tenant AND g.task = s.task
  CROSS JOIN LATERAL item_shown(i, md5(a.id::text || i.id::text)::uuid, b) x
  WHERE a.tenant = p_tenant AND a.id = p_appeal
$$;

-- When somebody took their seat.
CREATE OR REPLACE FUNCTION panel_seated(p_tenant uuid, p_appeal uuid, p_person uuid) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT taken_at FROM panel_seat WHERE tenant = p_tenant AND appeal = p_appeal AND person = p_person
$$;

-- How a panel voted, once its appeal is over: nobody votes after another's vote.
CREATE OR REPLACE FUNCTION panel_votes(p_appeal appeal) RETURNS boolean[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT coalesce(array_agg(e.upheld ORDER BY e.voted_at), '{}') FROM panel_seat e
  WHERE e.tenant = (p_appeal).tenant AND e.appeal = (p_appeal).id AND e.voted_at IS NOT NULL AND (p_appeal).state >= {appeal.upheld}
$$;

-- What a submission is about, for its maker and for its requester.
CREATE OR REPLACE FUNCTION submission_about(p_tenant uuid, p_id uuid)
RETURNS TABLE (kind text, ontology_version uuid, item text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT p.kind, p.ontology_version, CASE WHEN p.names_tell THEN (to_jsonb(x) || '{"hidden": true}')::text ELSE to_json(x)::text END
  FROM submission s
  JOIN project p ON p.tenant = s.tenant AND p.id = s.project
  JOIN task t ON t.tenant = s.tenant AND t.id = s.task
  JOIN item i ON i.tenant = t.tenant AND i.id = t.item
  LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset
  CROSS JOIN LATERAL item_shown(i, md5(s.assignment::text || i.id::text)::uuid, b) x
  WHERE s.tenant = p_tenant AND s.id = p_id AND (current_worker() IS NULL OR s.worker = current_worker())
$$;

-- The appeals of a tenant that somebody may sit on, or sits on already, with their own seat and vote.
CREATE OR REPLACE FUNCTION panel_open(p_tenant uuid, p_person uuid, p_worker uuid, p_stale timestamptz)
RETURNS TABLE (appeal uuid, kind text, reason text, panel_by timestamptz, currency text, seat_minor bigint, mine boolean, voted boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT a.id, p.kind, r.reason, a.panel_by, p.currency, a.seat_minor, e.person IS NOT NULL, e.voted_at IS NOT NULL
  FROM appeal a
  JOIN submission s ON s.tenant = a.tenant AND s.id = a.submission
  JOIN submission_rejection r ON r.tenant = a.tenant AND r.submission = a.submission
  JOIN project p ON p.tenant = a.tenant AND p.id = s.project
  LEFT JOIN panel_seat e ON e.tenant = a.tenant AND e.appeal = a.id AND e.person = p_person
  WHERE a.tenant = p_tenant AND (e.person IS NOT NULL OR a.state = {appeal.panel}
    AND panel_free(a, (SELECT q.is_judge FROM person q WHERE q.id = p_person AND NOT q.is_guest AND q.disabled_at IS NULL),
      p_stale) IS NOT NULL
    AND a.worker <> p_worker AND r.rejecter <> p_person AND r.second IS DISTINCT FROM p_person
    AND NOT EXISTS (SELECT FROM membership m WHERE m.tenant = a.tenant AND m.person = p_person)
    AND NOT EXISTS (SELECT FROM labeler l WHERE l.tenant = a.tenant AND l.person = p_person))
  ORDER BY a.panel_by LIMIT 100
$$;

-- A seat of an appeal that a peer (or a judge) may take: nobody's, or one whose holder has not voted for long.
CREATE OR REPLACE FUNCTION panel_free(p_appeal appeal, p_judge boolean, p_stale timestamptz) RETURNS smallint
LANGUAGE sql STABLE AS $$
  SELECT n::smallint FROM generate_series(1, 3) n WHERE (n > 1) = p_judge AND NOT EXISTS (SELECT FROM panel_seat e
    WHERE e.tenant = p_appeal.tenant AND e.appeal = p_appeal.id AND e.seat = n AND (e.voted_at IS NOT NULL OR e.taken_at > p_stale))
  ORDER BY n LIMIT 1
$$;

-- Take a seat. NULL: none is free for them. The table has the last word on who may sit.
CREATE OR REPLACE FUNCTION panel_sit(p_tenant uuid, p_appeal uuid, p_person uuid, p_worker uuid, p_stale timestamptz, p_now timestamptz)
RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_ap appeal; v_seat smallint;
BEGIN
  SELECT * INTO v_ap FROM appeal WHERE tenant = p_tenant AND id = p_appeal AND state = {appeal.panel} AND panel_by > p_now FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT e.seat INTO v_seat FROM panel_seat e WHERE e.tenant = p_tenant AND e.appeal = p_appeal AND e.person = p_person;
  IF FOUND THEN RETURN v_seat; END IF;
  v_seat := panel_free(v_ap, (SELECT q.is_judge FROM person q WHERE q.id = p_person), p_stale);
  IF v_seat IS NULL THEN RETURN NULL; END IF;
  INSERT INTO contributor (tenant, worker, person, admitted_at) VALUES (p_tenant, p_worker, p_person, p_now) ON CONFLICT DO NOTHING;
  INSERT INTO panel_seat AS e (tenant, appeal, seat, person, worker, taken_at)
    VALUES (p_tenant, p_appeal, v_seat, p_person, p_worker, p_now)
    ON CONFLICT (tenant, appeal, seat) DO UPDATE SET person = excluded.person, worker = excluded.worker, taken_at = excluded.taken_at;
  RETURN v_seat;
END $$;

-- A vote: it is paid for its time, and the second of one sort ends the matter. Returns what was paid; NULL: no seat of theirs.
CREATE OR REPLACE FUNCTION panel_vote(p_tenant uuid, p_appeal uuid, p_person uuid, p_upheld boolean, p_words text, p_seconds float8,
  p_paid_minor bigint, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_ap appeal; v_seat panel_seat; v_a assignment; v_id uuid := uuidv7(); v_paid bigint; v_event bigint;
BEGIN
  SELECT * INTO v_ap FROM appeal WHERE tenant = p_tenant AND id = p_appeal FOR UPDATE;
  SELECT * INTO v_seat FROM panel_seat WHERE tenant = p_tenant AND appeal = p_appeal AND person = p_person;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF v_seat.voted_at IS NOT NULL THEN
    RETURN (SELECT t.amount_minor FROM transfer t WHERE t.tenant = p_tenant AND t.id = v_seat.paid_by);
  END IF;
  IF v_ap.state <> {appeal.panel} OR v_ap.panel_by <= p_now THEN
    RAISE EXCEPTION 'panel-over' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  SELECT a.* INTO v_a FROM assignment a JOIN submission s ON s.tenant = a.tenant AND s.assignment = a.id
    WHERE s.tenant = p_tenant AND s.id = v_ap.submission;
  v_paid := greatest(1, least(p_paid_minor, v_ap.seat_minor));
  v_event := event_append(p_tenant, 'appeal.voted', p_appeal, v_a.project, jsonb_build_object('seat', v_seat.seat), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[v_id], ARRAY[v_id], ARRAY['hearing'],
    ARRAY[account_id(p_tenant, 'hearing_reserve', v_a.project, NULL, 0, v_a.currency)],
    ARRAY[account_open(p_tenant, 'worker', NULL, v_seat.worker, 0, v_a.currency, p_now)], ARRAY[v_paid], p_appeal, NULL, v_event, p_now);
  UPDATE panel_seat SET upheld = p_upheld, words = p_words, seconds = p_seconds, voted_at = p_now, paid_by = v_id
    WHERE tenant = p_tenant AND appeal = p_appeal AND seat = v_seat.seat;
  IF (SELECT count(*) FROM panel_seat e WHERE e.tenant = p_tenant AND e.appeal = p_appeal AND e.upheld = p_upheld) = 2 THEN
    PERFORM rejection_end(p_tenant, v_ap.submission, p_upheld, 'panel', p_now);
  END IF;
  RETURN v_paid;
END $$;

GRANT EXECUTE ON FUNCTION submissions_agree, appeal_answer TO cupola_app;
GRANT EXECUTE ON FUNCTION appeal_file, panel_case, panel_open, panel_sit, panel_seated, panel_vote TO cupola_gateway;
GRANT EXECUTE ON FUNCTION panel_votes, submission_about TO cupola_app, cupola_gateway;
