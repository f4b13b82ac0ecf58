-- Who may do what: each rule once, under its own name.

-- Whether a tenant's work is meant for somebody: that of a live world is for every contributor but the guests of other
-- tenants; a test world's is for its own members and labelers.
CREATE OR REPLACE FUNCTION work_welcome(p_tenant uuid, p_person uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT EXISTS (SELECT FROM tenant t, person p WHERE t.id = p_tenant AND p.id = p_person
    AND ((t.world = 'live' AND NOT p.is_guest)
      OR EXISTS (SELECT FROM labeler l WHERE l.tenant = p_tenant AND l.person = p_person)
      OR EXISTS (SELECT FROM membership m WHERE m.tenant = p_tenant AND m.person = p_person)))
$$;

CREATE OR REPLACE FUNCTION work_guest() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT coalesce((SELECT is_guest FROM person WHERE id = current_person()), true)
$$;

-- The crews of a person, by their address: also before their first page, when nobody has a pseudonym of them yet.
CREATE OR REPLACE FUNCTION work_crews(p_tenant uuid, p_person uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT coalesce(array_agg(m.crew), '{}') FROM person p JOIN crew_member m ON m.tenant = p_tenant AND m.email = p.email
  WHERE p.id = p_person
$$;

-- Whether a worker is trained before the first page of a project: it has training, and they are new to it.
CREATE OR REPLACE FUNCTION work_untrained(p_tenant uuid, p_project uuid, p_worker uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT EXISTS (SELECT FROM project p JOIN project t ON t.tenant = p.tenant AND t.id = p.training AND t.state = 'live'
      WHERE p.tenant = p_tenant AND p.id = p_project AND p.state = 'live')
    AND NOT EXISTS (SELECT FROM training_pass x WHERE x.tenant = p_tenant AND x.project = p_project AND x.worker = p_worker)
    AND NOT EXISTS (SELECT FROM queue_cursor q WHERE q.tenant = p_tenant AND q.project = p_project AND q.worker = p_worker
      AND q.served > 0)
$$;

-- The rules of one task. Each answers with a row where it holds, so that Postgres opens them into the query that asks: they
-- run as whoever asks, without a search path of their own.
CREATE OR REPLACE FUNCTION may_crew(p_crew uuid, p_crews uuid[]) RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true WHERE p_crew IS NULL OR p_crew = ANY (p_crews)
$$;
-- Held, judged, rejected or returned once is once and for all; what expired (p_past) comes back on a way of its own (work_back).
CREATE OR REPLACE FUNCTION may_first(p_tenant uuid, p_worker uuid, p_task uuid, p_past uuid[], p_stage smallint)
RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true WHERE p_task <> ALL (p_past) AND NOT EXISTS (SELECT FROM lease l
    WHERE l.tenant = p_tenant AND l.worker = p_worker AND l.task = p_task AND l.stage = p_stage
      AND l.state IN ({lease.open}, {lease.paid}, {lease.returned}, {lease.rejected}))
$$;
-- Nobody reviews their own work, nor what was made of it: whoever judged a task at one stage has no part in a later one. But
-- what was rejected may be fixed by whoever made it.
CREATE OR REPLACE FUNCTION may_not_own(p_tenant uuid, p_worker uuid, p_task uuid, p_stage smallint) RETURNS SETOF boolean
LANGUAGE sql STABLE AS $$
  SELECT true WHERE p_stage = 0 OR NOT EXISTS (SELECT FROM judgement j
    WHERE j.tenant = p_tenant AND j.task = p_task AND j.worker = p_worker AND j.stage < p_stage)
    OR EXISTS (SELECT FROM task t JOIN rejection r ON r.tenant = t.tenant AND r.judgement = t.about
      WHERE t.tenant = p_tenant AND t.id = p_task AND r.maker = p_worker)
$$;
-- In a directed project: whoever may judge a task (gold), or is asked for it now (work).
CREATE OR REPLACE FUNCTION may_invited(p_tenant uuid, p_worker uuid, p_task uuid, p_directed boolean, p_asked boolean)
RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true WHERE NOT p_directed OR EXISTS (SELECT FROM invite i
    WHERE i.tenant = p_tenant AND i.task = p_task AND i.worker = p_worker AND (i.state = {invite.asked} OR NOT p_asked))
$$;
CREATE OR REPLACE FUNCTION work_may(p_tenant uuid, p_worker uuid, p_task uuid, p_crew uuid, p_crews uuid[], p_past uuid[],
  p_directed boolean, p_asked boolean, p_stage smallint)
RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true FROM may_crew(p_crew, p_crews), may_first(p_tenant, p_worker, p_task, p_past, p_stage),
    may_not_own(p_tenant, p_worker, p_task, p_stage), may_invited(p_tenant, p_worker, p_task, p_directed, p_asked)
$$;

-- The standing caps. How many more tasks of a project somebody may hold at once: a share of it, so that nobody keeps it from
-- the others, and never less than a few pages.
CREATE OR REPLACE FUNCTION may_hold(p_tenant uuid, p_project project, p_worker uuid) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT greatest(0, least(200, greatest(50, 2 * p_project.page_size, p_project.tasks_total / 4)) - coalesce(sum(a.open), 0))::int
  FROM assignment a WHERE a.tenant = p_tenant AND a.worker = p_worker AND a.project = p_project.id AND a.state = {page.claimed}
$$;

GRANT EXECUTE ON FUNCTION work_guest TO cupola_gateway;
