-- Make one row of a subject's differences, and one a person of what they earned. Two who do it at once each fold what the other left.
CREATE OR REPLACE FUNCTION tally_fold(p_tenant uuid, p_subject uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  WITH gone AS (DELETE FROM tally WHERE tenant = p_tenant AND subject = p_subject RETURNING *),
  persons AS (
    INSERT INTO earned AS e (tenant, worker, project, judgements, paid_minor, seconds)
    SELECT tenant, worker, subject, sum(judgements), sum(paid_minor), sum(seconds) FROM gone WHERE worker IS NOT NULL
    GROUP BY tenant, worker, subject ORDER BY worker
    ON CONFLICT (tenant, worker, project) DO UPDATE SET judgements = e.judgements + excluded.judgements,
      paid_minor = e.paid_minor + excluded.paid_minor, seconds = e.seconds + excluded.seconds)
  INSERT INTO tally (tenant, subject, tasks_open, tasks_collecting, tasks_escalated, tasks_settled, tasks_cancelled, tasks_gold,
    judgements, spent_minor, items)
  SELECT tenant, subject, sum(tasks_open), sum(tasks_collecting), sum(tasks_escalated), sum(tasks_settled), sum(tasks_cancelled),
    sum(tasks_gold), sum(judgements), sum(spent_minor), sum(items) FROM gone GROUP BY tenant, subject
$$;

GRANT EXECUTE ON FUNCTION tally_fold TO cupola_app;
