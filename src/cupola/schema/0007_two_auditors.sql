-- An audit by two people who do not see each other's answers; where they differ, a third decides.
ALTER TABLE audit_judgement ADD COLUMN round smallint NOT NULL DEFAULT 1 CHECK (round BETWEEN 1 AND 3);
ALTER TABLE audit_judgement DROP CONSTRAINT audit_judgement_tenant_audit_item_key;
ALTER TABLE audit_judgement ADD UNIQUE (tenant, audit_item, round);
CREATE UNIQUE INDEX audit_judgement_person ON audit_judgement (tenant, audit_item, person) WHERE person IS NOT NULL;
ALTER TABLE release ADD COLUMN auditors smallint NOT NULL DEFAULT 1 CHECK (auditors IN (1, 2));

-- What each drawn item comes to. judged: how many have spoken; differ: the first two came to other verdicts; settled:
-- nobody else is needed. The last round's word is the verdict. It runs as whoever asks, so row level security holds.
CREATE VIEW audit_verdict WITH (security_invoker = true) AS
SELECT a.tenant, a.release, a.id, a.draw, a.row, v.judged, v.differ,
  v.judged >= r.auditors AND NOT (v.differ AND v.judged < 3) AS settled,
  v.label, v.undecidable, v.correct, v.person, v.at, v.people
FROM audit_item a
JOIN release r ON r.tenant = a.tenant AND r.id = a.release
CROSS JOIN LATERAL (
  SELECT count(*) AS judged,
    coalesce(bool_or(u.undecidable) FILTER (WHERE u.round = 1) IS DISTINCT FROM bool_or(u.undecidable) FILTER (WHERE u.round = 2)
      OR bool_or(u.correct) FILTER (WHERE u.round = 1) IS DISTINCT FROM bool_or(u.correct) FILTER (WHERE u.round = 2), false)
      AND count(*) > 1 AS differ,
    (array_agg(u.label ORDER BY u.round DESC))[1] AS label,
    (array_agg(u.undecidable ORDER BY u.round DESC))[1] AS undecidable,
    (array_agg(u.correct ORDER BY u.round DESC))[1] AS correct,
    (array_agg(u.person ORDER BY u.round DESC))[1] AS person,
    max(u.at) AS at,
    coalesce(array_agg(u.person) FILTER (WHERE u.person IS NOT NULL), '{}') AS people
  FROM audit_judgement u WHERE u.tenant = a.tenant AND u.audit_item = a.id) v;
GRANT SELECT ON audit_verdict TO cupola_app;
