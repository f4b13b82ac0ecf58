-- What a person earned in a project, counted in the transaction that pays: the earnings page reads a row a project, however
-- many judgements there are. The difference stands in the row that the submit writes anyway, until it is folded.
ALTER TABLE tally ADD COLUMN worker uuid;
ALTER TABLE tally ADD COLUMN paid_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE tally ADD COLUMN seconds double precision NOT NULL DEFAULT 0;
CREATE INDEX tally_worker ON tally (tenant, worker) WHERE worker IS NOT NULL;

CREATE TABLE earned (
  tenant uuid NOT NULL,
  worker uuid NOT NULL,
  project uuid NOT NULL,
  judgements bigint NOT NULL,
  paid_minor bigint NOT NULL,
  seconds double precision NOT NULL,
  PRIMARY KEY (tenant, worker, project),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
ALTER TABLE judgement NO FORCE ROW LEVEL SECURITY;
INSERT INTO earned (tenant, worker, project, judgements, paid_minor, seconds)
SELECT tenant, worker, project, count(*), sum(price_minor), sum(seconds::float8) FROM judgement GROUP BY tenant, worker, project;
ALTER TABLE judgement FORCE ROW LEVEL SECURITY;

ALTER TABLE earned ENABLE ROW LEVEL SECURITY;
ALTER TABLE earned FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON earned TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
CREATE POLICY own_rows ON earned FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON tally FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
GRANT SELECT ON earned TO cupola_app, cupola_gateway;
GRANT SELECT (tenant, subject, worker, judgements, paid_minor, seconds) ON tally TO cupola_gateway;

-- All that an account of a person was ever paid is what it holds and what left it; payouts are few.
CREATE INDEX transfer_paid_out ON transfer (tenant, debit) WHERE kind = 'payout';
CREATE INDEX transfer_returned ON transfer (tenant, credit) WHERE kind = 'payout_return';
