-- Whom a transaction is for, and what tables allow. Policies and triggers stand on these, so they are made before the
-- tables.

CREATE OR REPLACE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;

CREATE OR REPLACE FUNCTION current_worker() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.worker', true), '')::uuid $$;

CREATE OR REPLACE FUNCTION current_person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.person', true), '')::uuid $$;

-- Events, and files that nobody used, are cut off by age, by the sweeper (sweep.sql), which says so for the time of its own
-- statement.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND (TG_TABLE_NAME, current_setting('cupola.sweeping', true)) IN (('event', 'events'), ('handed_in', 'unused'))
  THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- What a release may become, kept by its tables: declared, then frozen in a later transaction (a large one is freezing
-- meanwhile, and declared again where that failed), then certified from the finished audit, each once. No role of the server can make a certificate say something else afterwards.

CREATE OR REPLACE FUNCTION release_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'declared' OR NEW.seed IS NOT NULL OR NEW.certificate IS NOT NULL OR NEW.items <> 0 THEN
      RAISE EXCEPTION 'a release begins as a declared plan' USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.declared_in := pg_current_xact_id();
    RETURN NEW;
  END IF;
  IF (NEW.tenant, NEW.id, NEW.project, NEW.name, NEW.licence, NEW.plan, NEW.plan_sha256, NEW.seed_commitment, NEW.auditors,
      NEW.created_at, NEW.declared_in)
    IS DISTINCT FROM (OLD.tenant, OLD.id, OLD.project, OLD.name, OLD.licence, OLD.plan, OLD.plan_sha256,
      OLD.seed_commitment, OLD.auditors, OLD.created_at, OLD.declared_in)
  THEN
    RAISE EXCEPTION 'what a release declared does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state IN ('declared', 'freezing') AND NEW.state <> 'declared' AND OLD.declared_in = pg_current_xact_id() THEN
    RAISE EXCEPTION 'the plan must be published before its rows are frozen' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.state, NEW.state) IN (('declared', 'freezing'), ('freezing', 'declared')) THEN
    IF NEW.seed IS NOT NULL OR NEW.certificate IS NOT NULL OR NEW.items <> 0 OR NEW.frozen_at IS NOT NULL THEN
      RAISE EXCEPTION 'a release that is freezing is not frozen' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.state IN ('declared', 'freezing') AND NEW.state IN ('frozen', 'auditing') THEN
    IF NEW.seed IS NULL OR sha256(NEW.seed) <> NEW.seed_commitment THEN
      RAISE EXCEPTION 'the seed is not the one that was committed to' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.certificate IS NOT NULL OR NEW.certified_at IS NOT NULL
      OR NEW.items <> (SELECT count(*) FROM release_row r WHERE r.tenant = NEW.tenant AND r.release = NEW.id)
    THEN
      RAISE EXCEPTION 'what is frozen is what was counted' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.items, NEW.rows_sha256, NEW.seed, NEW.earlier, NEW.frozen_at, NEW.ids_sha256, NEW.labels_sha256)
    IS DISTINCT FROM (OLD.items, OLD.rows_sha256, OLD.seed, OLD.earlier, OLD.frozen_at, OLD.ids_sha256, OLD.labels_sha256)
  THEN
    RAISE EXCEPTION 'what a release froze does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state = 'auditing' AND NEW.state IN ('certified', 'failed') AND NEW.certificate IS NOT NULL THEN
    IF EXISTS (SELECT FROM audit_verdict v WHERE v.tenant = NEW.tenant AND v.release = NEW.id AND NOT v.settled) THEN
      RAISE EXCEPTION 'the audit is not finished' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a release that is % does not become %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
END $$;

-- Rows and draws are added before a release is frozen, never later.
CREATE OR REPLACE FUNCTION release_rows_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM (SELECT DISTINCT tenant, release FROM added) a
    LEFT JOIN release r ON r.tenant = a.tenant AND r.id = a.release 
    WHERE r.state IS NULL OR r.state NOT IN ('declared', 'freezing'))
  THEN
    RAISE EXCEPTION 'the release is frozen' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;

-- A drawn item is judged while its audit is open, by no more people than its plan foresees, and by nobody who has read it.
CREATE OR REPLACE FUNCTION audit_judgement_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM added u JOIN audit_item a ON a.tenant = u.tenant AND a.id = u.audit_item
    JOIN release r ON r.tenant = a.tenant AND r.id = a.release
    WHERE r.state <> 'auditing' OR (r.auditors = 1 AND u.round > 1))
  THEN
    RAISE EXCEPTION 'the audit is not open' USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT FROM added u JOIN audit_item a ON a.tenant = u.tenant AND a.id = u.audit_item
    JOIN audit_reader d ON d.tenant = a.tenant AND d.release = a.release AND d.person = u.person)
  THEN
    RAISE EXCEPTION 'who has read the labels under audit judges none of them' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;

GRANT EXECUTE ON FUNCTION release_kept, release_rows_kept, audit_judgement_kept TO cupola_app;

-- The audits that are open and whose labels are kept from whoever reads (app.person): a person, or a key, which reads for
-- the person who made it. Their auditors are blind: every reviewer, and whoever has judged one of their items, with
-- whatever key. So is everybody else in person, until they have read: then they judge nothing of that audit. A key that
-- nobody made in person and that judged nothing, and the worker: nothing is kept from them.
CREATE OR REPLACE FUNCTION blind_audits(p_auditors_only boolean) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
  v_tenant uuid := current_tenant();
  v_key uuid;
  v_person uuid;
BEGIN
  IF current_person() IS NULL OR NOT EXISTS (SELECT FROM release WHERE tenant = v_tenant AND state = 'auditing') THEN
    RETURN;
  END IF;
  SELECT k.id, k.made_by INTO v_key, v_person FROM api_key k WHERE k.tenant = v_tenant AND k.id = current_person();
  IF v_key IS NULL THEN v_person := current_person(); END IF;
  RETURN QUERY SELECT x.id FROM release x
    WHERE x.tenant = v_tenant AND x.state = 'auditing'
      AND EXISTS (SELECT FROM audit_verdict v WHERE v.tenant = x.tenant AND v.release = x.id AND NOT v.settled)
      AND (EXISTS (SELECT FROM audit_item i JOIN audit_judgement u ON u.tenant = i.tenant AND u.audit_item = i.id
          WHERE i.tenant = x.tenant AND i.release = x.id AND (u.person = v_person OR u.key = v_key))
        OR (v_person IS NOT NULL
          AND NOT EXISTS (SELECT FROM audit_reader d WHERE d.tenant = x.tenant AND d.release = x.id AND d.person = v_person)
          AND (NOT p_auditors_only OR EXISTS (SELECT FROM membership m
            WHERE m.tenant = x.tenant AND m.person = v_person AND m.role = 'reviewer'))));
END $$;
-- The tasks whose labels are kept from whoever reads. Row level security asks at every statement: like its neighbours it goes
-- by key, whatever a connection believed of the tables when it first asked. Planned for an audit of a few, it took minutes in
-- one of a thousand.
CREATE OR REPLACE FUNCTION blind_tasks() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF current_person() IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT r.task FROM blind_audits(false) x (release)
    JOIN audit_item a ON a.tenant = current_tenant() AND a.release = x.release
    JOIN release_row r ON r.tenant = a.tenant AND r.release = a.release AND r.position = a.row;
END $$;
-- The items of such tasks: what people handed in for them is part of their labels.
CREATE OR REPLACE FUNCTION blind_items() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF current_person() IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT t.item FROM blind_tasks() x (task) JOIN task t ON t.tenant = current_tenant() AND t.id = x.task;
END $$;
-- The orders of such tasks: what was told of them is kept as well.
CREATE OR REPLACE FUNCTION blind_orders() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF current_person() IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT o.id FROM blind_tasks() x (task)
    JOIN order_task o ON o.tenant = current_tenant() AND o.foundry_task = x.task;
END $$;
-- The releases that hold such a label and are kept whole from the auditors: their exports, their evidence. Whoever is no
-- auditor may open them, and is one no more then (release_opened).
CREATE OR REPLACE FUNCTION blind_releases() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF current_person() IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT o.id FROM release o WHERE o.tenant = current_tenant() AND EXISTS (SELECT FROM blind_audits(true) x (release)
    JOIN audit_item a ON a.tenant = o.tenant AND a.release = x.release
    JOIN release_row d ON d.tenant = a.tenant AND d.release = a.release AND d.position = a.row
    JOIN release_row r ON r.tenant = d.tenant AND r.release = o.id AND r.task = d.task);
END $$;
-- Write down that a person reads what an open audit drew, unless they have judged of it; whether they may read it. The
-- lock is the one of whoever is about to judge.
CREATE OR REPLACE FUNCTION audit_read(p_release uuid, p_person uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE v_tenant uuid := current_tenant();
BEGIN
  IF p_person IS NULL OR EXISTS (SELECT FROM audit_reader
    WHERE tenant = v_tenant AND release = p_release AND person = p_person)
  THEN
    RETURN true;
  END IF;
  PERFORM audit_side_lock(p_release, p_person);
  IF EXISTS (SELECT FROM audit_item i JOIN audit_judgement u ON u.tenant = i.tenant AND u.audit_item = i.id
    WHERE i.tenant = v_tenant AND i.release = p_release AND u.person = p_person)
  THEN
    RETURN false;
  END IF;
  INSERT INTO audit_reader (tenant, release, person) VALUES (v_tenant, p_release, p_person) ON CONFLICT DO NOTHING;
  RETURN true;
END $$;
CREATE OR REPLACE FUNCTION audit_side_lock(p_release uuid, p_person uuid) RETURNS void LANGUAGE sql VOLATILE
  AS $$ SELECT pg_advisory_xact_lock(hashtextextended(p_release::text || p_person::text, 7)) $$;
-- A release is opened: its export, its evidence. Whether that may be; who may, judges none of the open audits that drew
-- from it. p_reader: a person or a key.
CREATE OR REPLACE FUNCTION release_opened(p_release uuid, p_reader uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
  v_tenant uuid := current_tenant();
  v_person uuid := p_reader;
  v_audit uuid;
  v_may boolean := true;
BEGIN
  IF p_reader IS NULL THEN RETURN true; END IF;
  PERFORM set_config('app.person', p_reader::text, true);
  IF p_release IN (SELECT blind_releases()) THEN RETURN false; END IF;
  SELECT k.made_by INTO v_person FROM api_key k WHERE k.tenant = v_tenant AND k.id = p_reader;
  IF NOT FOUND THEN v_person := p_reader; END IF;
  FOR v_audit IN SELECT x.id FROM release x WHERE x.tenant = v_tenant AND x.state = 'auditing'
    AND EXISTS (SELECT FROM audit_verdict v WHERE v.tenant = x.tenant AND v.release = x.id AND NOT v.settled)
    AND EXISTS (SELECT FROM audit_item a
      JOIN release_row d ON d.tenant = a.tenant AND d.release = a.release AND d.position = a.row
      JOIN release_row r ON r.tenant = d.tenant AND r.release = p_release AND r.task = d.task
      WHERE a.tenant = x.tenant AND a.release = x.id)
    ORDER BY x.id
  LOOP
    v_may := audit_read(v_audit, v_person) AND v_may;
  END LOOP;
  RETURN v_may;
END $$;
-- An order whose answer is kept from whoever reads: they audit its task.
CREATE OR REPLACE FUNCTION order_kept(p_task uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF p_task IS NULL OR current_person() IS NULL THEN RETURN false; END IF;
  RETURN EXISTS (SELECT FROM blind_audits(true) x (release)
    JOIN release_row r ON r.tenant = current_tenant() AND r.release = x.release AND r.task = p_task
    JOIN audit_item a ON a.tenant = r.tenant AND a.release = r.release AND a.row = r.position);
END $$;
-- An order's answer for whoever reads: kept from the auditors of its task; whoever else is shown one that an open audit
-- drew judges none of that audit. Clients wait for their answers, so nobody has to say before that they will not audit.
CREATE OR REPLACE FUNCTION order_answer(p_task uuid, p_answer text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE
  v_tenant uuid := current_tenant();
  v_person uuid;
  v_audit uuid;
BEGIN
  IF p_answer IS NULL OR p_task IS NULL OR current_person() IS NULL
    OR NOT EXISTS (SELECT FROM release WHERE tenant = v_tenant AND state = 'auditing')
  THEN
    RETURN p_answer;
  END IF;
  IF order_kept(p_task) THEN RETURN NULL; END IF;
  SELECT k.made_by INTO v_person FROM api_key k WHERE k.tenant = v_tenant AND k.id = current_person();
  IF NOT FOUND THEN v_person := current_person(); END IF;
  FOR v_audit IN SELECT x.id FROM release x
    JOIN release_row r ON r.tenant = x.tenant AND r.release = x.id AND r.task = p_task
    JOIN audit_item a ON a.tenant = r.tenant AND a.release = r.release AND a.row = r.position
    WHERE x.tenant = v_tenant AND x.state = 'auditing'
      AND EXISTS (SELECT FROM audit_verdict v WHERE v.tenant = x.tenant AND v.release = x.id AND NOT v.settled)
    ORDER BY x.id
  LOOP
    IF NOT audit_read(v_audit, v_person) THEN RETURN NULL; END IF;
  END LOOP;
  RETURN p_answer;
END $$;
GRANT EXECUTE ON FUNCTION blind_audits, blind_tasks, blind_items, blind_orders, blind_releases, audit_side_lock, release_opened,
  order_kept, order_answer TO cupola_app;

-- The hash of a label's canonical bytes: of those in the column, or of those in the blob that it names (platform/pg/long.py).
-- The databases are UTF-8, so it never changes.
CREATE OR REPLACE FUNCTION label_hash(p_label text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT CASE WHEN starts_with(p_label, '@') THEN decode(substr(p_label, 2, 64), 'hex')
    ELSE sha256(convert_to(p_label, 'UTF8')) END $$;
-- How many bytes the label has, here or in its blob.
CREATE OR REPLACE FUNCTION label_bytes(p_label text) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT CASE WHEN starts_with(p_label, '@') THEN split_part(p_label, ':', 2)::int ELSE octet_length(p_label) END $$;

-- A gold task is drawn by a random key, which it gets with becoming gold.
CREATE OR REPLACE FUNCTION gold_key_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.gold_key := md5(uuidv7()::text)::uuid;
  RETURN NEW;
END $$;

-- What a statement did to the tasks of each project, as one row of differences (table tally).
CREATE OR REPLACE FUNCTION task_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally (tenant, subject, tasks_open, tasks_collecting, tasks_escalated, tasks_settled, tasks_cancelled, tasks_gold)
  SELECT d.* FROM (
    SELECT x.tenant, x.project, coalesce(sum(x.by) FILTER (WHERE x.state = {task.open} AND NOT x.gold), 0) AS a,
      coalesce(sum(x.by) FILTER (WHERE x.state = {task.collecting} AND NOT x.gold), 0) AS b,
      coalesce(sum(x.by) FILTER (WHERE x.state = {task.escalated} AND NOT x.gold), 0) AS c,
      coalesce(sum(x.by) FILTER (WHERE x.state = {task.settled} AND NOT x.gold), 0) AS d,
      coalesce(sum(x.by) FILTER (WHERE x.state = {task.cancelled} AND NOT x.gold), 0) AS e, coalesce(sum(x.by) FILTER (WHERE x.gold), 0) AS f
    FROM (SELECT tenant, project, state, gold, 1 AS by FROM now_rows UNION ALL SELECT tenant, project, state, gold, -1 FROM was_rows) x
    GROUP BY x.tenant, x.project) d
  WHERE d.a <> 0 OR d.b <> 0 OR d.c <> 0 OR d.d <> 0 OR d.e <> 0 OR d.f <> 0;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION task_counted_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally (tenant, subject, tasks_open, tasks_collecting, tasks_escalated, tasks_settled, tasks_cancelled, tasks_gold)
  SELECT tenant, project, count(*) FILTER (WHERE state = {task.open} AND NOT gold), count(*) FILTER (WHERE state = {task.collecting} AND NOT gold),
    count(*) FILTER (WHERE state = {task.escalated} AND NOT gold), count(*) FILTER (WHERE state = {task.settled} AND NOT gold),
    count(*) FILTER (WHERE state = {task.cancelled} AND NOT gold), count(*) FILTER (WHERE gold)
  FROM now_rows GROUP BY tenant, project;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION item_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally (tenant, subject, items) SELECT tenant, dataset, count(*) FROM now_rows GROUP BY tenant, dataset;
  RETURN NULL;
END $$;

-- Money of a page that was submitted goes back to its project for what was rejected for good, and for nothing else.
CREATE OR REPLACE FUNCTION reject_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = cupola, pg_temp AS $$
DECLARE v_held bigint;
BEGIN
  SELECT sum(l.hold_minor) INTO v_held FROM submission s
    JOIN verdict v ON v.tenant = s.tenant AND v.submission = s.id AND v.upheld
    JOIN lease l ON l.tenant = s.tenant AND l.assignment = s.assignment AND l.task = s.task AND l.state = {lease.open}
    WHERE s.tenant = NEW.tenant AND s.assignment = NEW.ref;
  IF NEW.amount_minor <> coalesce(v_held, 0) THEN
    RAISE EXCEPTION 'money goes back by an upheld verdict alone' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- Who judges an appeal: nobody of the tenant, not who rejected the work, not who did it; a peer on the first seat, judges that
-- an operator named on the others. A vote is cast once, and a seat passes on only while it has none.
CREATE OR REPLACE FUNCTION panel_seat_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = cupola, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.voted_at IS NOT NULL THEN
    RAISE EXCEPTION 'a vote is cast once' USING ERRCODE = 'restrict_violation';
  END IF;
  IF EXISTS (SELECT FROM membership m WHERE m.tenant = NEW.tenant AND m.person = NEW.person)
    OR EXISTS (SELECT FROM labeler l WHERE l.tenant = NEW.tenant AND l.person = NEW.person)
    OR EXISTS (SELECT FROM appeal a JOIN submission_rejection r ON r.tenant = a.tenant AND r.submission = a.submission
      WHERE a.tenant = NEW.tenant AND a.id = NEW.appeal AND (NEW.person IN (r.rejecter, r.second) OR NEW.worker = a.worker
        OR EXISTS (SELECT FROM contributor c WHERE c.tenant = a.tenant AND c.worker = a.worker AND c.person = NEW.person)))
    OR NOT EXISTS (SELECT FROM person p WHERE p.id = NEW.person AND p.disabled_at IS NULL AND NOT p.is_guest
      AND p.is_judge = (NEW.seat > 1) AND (p.is_judge OR p.is_contributor))
  THEN
    RAISE EXCEPTION 'who judges an appeal belongs to neither side' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

GRANT EXECUTE ON FUNCTION current_tenant, current_worker, current_person, refuse_change, gold_key_given,
  task_counted, task_counted_new, item_counted, label_hash, label_bytes
  TO cupola_app, cupola_gateway, cupola_ops;
