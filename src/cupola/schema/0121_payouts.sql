-- Money to people. A payout is one person's, in one currency, over all tenants that paid them: it belongs to none of them, and
-- each tenant's books hold their leg of it alone, under an identifier that another tenant's does not share.
CREATE TABLE payout_details (
  person uuid PRIMARY KEY REFERENCES person (id),
  rail text NOT NULL CHECK (length(rail) BETWEEN 1 AND 60),
  sealed bytea NOT NULL,              -- where the money goes, under the instance's secret
  hint text NOT NULL CHECK (length(hint) <= 40),
  changed_at timestamptz NOT NULL,
  usable_at timestamptz NOT NULL
);
CREATE TABLE payout_batch (
  id uuid PRIMARY KEY,
  rail text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  prepared_by uuid NOT NULL REFERENCES person (id),
  prepared_at timestamptz NOT NULL,
  approved_by uuid REFERENCES person (id),
  approved_at timestamptz,
  CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
  CHECK (approved_by <> prepared_by)  -- four eyes
);
-- state: kernel/states, `payout`
CREATE TABLE payout (
  id uuid PRIMARY KEY,
  person uuid NOT NULL REFERENCES person (id),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 5),
  amount_minor bigint NOT NULL DEFAULT 0 CHECK (amount_minor >= 0),
  rail text NOT NULL,
  sealed bytea NOT NULL,              -- where it goes, as it stood when it was asked for
  hint text NOT NULL,
  batch uuid REFERENCES payout_batch (id),
  at timestamptz NOT NULL,
  sent_at timestamptz,
  ended_at timestamptz,
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  CHECK (state NOT IN (1, 2, 3) OR amount_minor > 0),
  CHECK ((state >= 3) = (ended_at IS NOT NULL)),
  CHECK (state NOT IN (2, 3) OR sent_at IS NOT NULL)
);
CREATE UNIQUE INDEX payout_open ON payout (person, currency) WHERE state < 3;
CREATE INDEX payout_person ON payout (person, id DESC);
CREATE INDEX payout_state ON payout (state, rail, currency, id) WHERE state < 3;
CREATE INDEX payout_of_batch ON payout (batch, id);

CREATE TABLE payout_leg (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,                   -- of the payout and the tenant together
  worker uuid NOT NULL,
  currency text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  transfer uuid NOT NULL,
  ended_by uuid,                      -- the transfer that settled it, or gave it back
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, transfer) REFERENCES transfer (tenant, id),
  FOREIGN KEY (tenant, ended_by) REFERENCES transfer (tenant, id)
);
ALTER TABLE payout_leg ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout_leg FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON payout_leg TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
CREATE POLICY own_rows ON payout_leg FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
GRANT SELECT ON payout_leg TO cupola_app, cupola_gateway;

-- Money that a bank sends back after all was settled comes in again before it is the worker's again.
ALTER TABLE flow DISABLE TRIGGER append_only;
INSERT INTO flow (kind, debit_type, credit_type) VALUES ('unsettle', 'external', 'payout_clearing');
ALTER TABLE flow ENABLE TRIGGER append_only;
GRANT SELECT, INSERT, UPDATE ON payout, payout_batch, payout_details TO cupola_ops;
