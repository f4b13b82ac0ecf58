-- What is known of somebody for the projects of one tenant, as one document that eligibility is asked of: what they say of
-- themselves, what a named verifier checked, and what they showed in this tenant's exams. What has run out is not in it.
CREATE OR REPLACE FUNCTION person_facts(p_tenant uuid, p_person uuid, p_worker uuid, p_now timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT jsonb_build_object(
    'languages', (SELECT coalesce(jsonb_agg(DISTINCT x.tag), '[]') FROM profile f, unnest(f.languages) AS l (code),
      LATERAL (VALUES (lower(l.code)), (split_part(lower(l.code), '-', 1))) AS x (tag) WHERE f.person = p_person),
    'fields', (SELECT coalesce(jsonb_agg(x.field), '[]') FROM profile f, unnest(f.fields) AS x (field) WHERE f.person = p_person),
    'country', (SELECT f.country FROM profile f WHERE f.person = p_person),
    'credentials', (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('kind', c.kind, 'subject', c.subject)), '[]')
      FROM person p JOIN credential c ON c.person = p.id OR c.email = p.email
      WHERE p.id = p_person AND c.state = {credential.verified} AND (c.expires_on IS NULL OR c.expires_on > p_now::date)),
    'exams', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', x.skill, 'low', x.low)), '[]') FROM (
      SELECT e.skill, round(max(a.low)::numeric, 4) AS low FROM exam_attempt a JOIN exam e ON e.tenant = a.tenant AND e.project = a.project
      WHERE a.tenant = p_tenant AND a.worker = p_worker AND a.state = {attempt.passed} AND a.expires_at > p_now GROUP BY e.skill) x))
$$;

-- Whether somebody is whom a project asks for. The names of the facts and the path are made by workforce/eligibility.
CREATE OR REPLACE FUNCTION may_qualified(p_project project, p_person uuid, p_worker uuid, p_now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT p_project.eligible_path IS NULL
    OR coalesce(person_facts(p_project.tenant, p_person, p_worker, p_now) @@ p_project.eligible_path, false)
$$;

-- How many contributors fit an expression; who they are is nobody's business.
CREATE OR REPLACE FUNCTION people_fitting(p_tenant uuid, p_path text, p_now timestamptz) RETURNS TABLE (fitting bigint, people bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT count(*) FILTER (WHERE coalesce(person_facts(p_tenant, p.id, c.worker, p_now) @@ p_path::jsonpath, false)), count(*)
  FROM person p LEFT JOIN contributor c ON c.tenant = p_tenant AND c.person = p.id
  WHERE p.is_contributor AND p.disabled_at IS NULL AND NOT p.is_guest AND work_welcome(p_tenant, p.id)
$$;
CREATE OR REPLACE FUNCTION project_ask(p_tenant uuid, p_project uuid, p_text text, p_path text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  UPDATE project SET eligible = p_text, eligible_path = p_path::jsonpath
  WHERE tenant = p_tenant AND id = p_project AND state <> 'stopped' AND NOT is_exam AND trains IS NULL RETURNING true
$$;

-- Live projects that somebody is not (yet) whom they ask for, tenant by tenant, the newest first.
CREATE OR REPLACE FUNCTION work_openings(p_person uuid, p_tenants uuid[], p_workers uuid[], p_each int, p_now timestamptz)
RETURNS TABLE (tenant uuid, project uuid, title text, kind text, price_minor bigint, currency text, median_s real, p75_s real, eligible text,
  facts text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
#variable_conflict use_column
DECLARE v_p project; v_o offer; v_facts jsonb; v_found int;
BEGIN
  FOR i IN 1 .. cardinality(p_tenants) LOOP
    tenant := p_tenants[i];
    PERFORM set_config('app.tenant', tenant::text, true);
    CONTINUE WHEN NOT work_welcome(tenant, p_person);
    v_facts := person_facts(tenant, p_person, p_workers[i], p_now);
    v_found := 0;
    FOR v_p IN SELECT p.* FROM project p WHERE p.tenant = p_tenants[i] AND p.state = 'live' AND p.eligible_path IS NOT NULL
        ORDER BY p.launched_at DESC, p.id DESC LOOP
      EXIT WHEN v_found >= p_each;
      CONTINUE WHEN coalesce(v_facts @@ v_p.eligible_path, false);
      SELECT * INTO v_o FROM offer_in_force(v_p.tenant, v_p.id, 0::smallint, p_now);
      v_found := v_found + 1;
      project := v_p.id; title := v_p.name; kind := v_p.kind; eligible := v_p.eligible; facts := v_facts::text;
      price_minor := v_o.price_minor; currency := v_o.currency; median_s := v_o.median_s; p75_s := v_o.p75_s;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION person_facts, work_openings TO cupola_gateway;
GRANT EXECUTE ON FUNCTION people_fitting, project_ask TO cupola_app;
