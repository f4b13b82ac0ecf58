-- The foundation: roles, tenants, people, events, catalogue, tasks, quality, releases.
--
-- Rules that every table here obeys (tests/absences holds them):
--   * a table with a `tenant` column has ENABLE + FORCE ROW LEVEL SECURITY,
--     and each of its keys (primary, unique, foreign) contains the tenant;
--   * judgements, transfers, events, settlements and offers are append-only;
--   * no role that a running server uses owns a table, is superuser or bypasses RLS.
-- Labels are JSON text, byte for byte as accepted; enums are smallint, because enum comparison is not leakproof and
-- would lose its index under row level security.

-- ---------------------------------------------------------------- organisations and people (no tenant's data)
CREATE TABLE organisation (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL
);
-- A world of an organisation is a tenant of its own: what separates tenants separates test from live.
CREATE TABLE tenant (
  id uuid PRIMARY KEY,
  organisation uuid NOT NULL REFERENCES organisation (id),
  world text NOT NULL CHECK (world IN ('live', 'test')),
  created_at timestamptz NOT NULL,
  UNIQUE (organisation, world)
);
CREATE TABLE person (
  id uuid PRIMARY KEY,
  email text UNIQUE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  locale text NOT NULL DEFAULT 'en' CHECK (locale IN ('en', 'zh')),
  password_hash text,
  is_operator boolean NOT NULL DEFAULT false,
  is_contributor boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  disabled_at timestamptz
);
CREATE TABLE person_session (
  token_hash bytea PRIMARY KEY,
  person uuid NOT NULL REFERENCES person (id),
  csrf text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX person_session_person ON person_session (person);
CREATE TABLE person_token (
  token_hash bytea PRIMARY KEY,
  person uuid NOT NULL REFERENCES person (id),
  created_at timestamptz NOT NULL,
  revoked_at timestamptz
);
-- One-time links that make a person: the first operator, later operators, contributors.
CREATE TABLE person_link (
  token_hash bytea PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('operator', 'contributor')),
  email text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE TABLE event_cursor (
  consumer text PRIMARY KEY,
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL
);
CREATE TABLE process_beat (
  process text PRIMARY KEY,
  role text NOT NULL,
  host text NOT NULL,
  pid int NOT NULL,
  at timestamptz NOT NULL
);
CREATE TABLE instance (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id uuid NOT NULL,
  created_at timestamptz NOT NULL
);

-- ---------------------------------------------------------------- tenants: members, keys, invitations
CREATE TABLE membership (
  tenant uuid NOT NULL REFERENCES tenant (id),
  person uuid NOT NULL REFERENCES person (id),
  role text NOT NULL CHECK (role IN ('owner', 'manager', 'reviewer')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, person)
);
CREATE INDEX membership_person ON membership (person);
CREATE TABLE invitation (
  tenant uuid NOT NULL REFERENCES tenant (id),
  token_hash bytea NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'manager', 'reviewer')),
  email text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant, token_hash)
);
CREATE TABLE api_key (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  key_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, key_hash)
);
-- The answer to a POST that carried an Idempotency-Key, written in the transaction of its effect.
CREATE TABLE idempotency (
  tenant uuid NOT NULL REFERENCES tenant (id),
  principal text NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  request_hash bytea NOT NULL,
  status int,
  body bytea,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, principal, key)
);

-- ---------------------------------------------------------------- events: the spine
CREATE TABLE event (
  tenant uuid NOT NULL REFERENCES tenant (id),
  seq bigint GENERATED ALWAYS AS IDENTITY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  kind text NOT NULL,
  subject uuid,
  project uuid,
  data jsonb NOT NULL DEFAULT '{}',   -- identifiers and counts only: an operator may read events
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, seq)
);
CREATE INDEX event_tail ON event (xid, seq);

-- ---------------------------------------------------------------- catalogue
CREATE TABLE dataset (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  licence text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name)
);
CREATE TABLE blob (
  tenant uuid NOT NULL REFERENCES tenant (id),
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  bytes bigint NOT NULL,
  media_type text NOT NULL,
  width_px int,
  height_px int,
  thumb_sha256 bytea,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, sha256)
);
CREATE TABLE item (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  dataset uuid NOT NULL,
  ref text NOT NULL CHECK (length(ref) BETWEEN 1 AND 1024),
  media_type text NOT NULL,
  asset bytea,                        -- sha256 of a blob of ours, or
  url text,                           -- a reference we do not copy, or
  body text,                          -- a short text
  bytes bigint NOT NULL DEFAULT 0,
  width_px int,
  height_px int,
  metadata jsonb NOT NULL DEFAULT '{}',
  pre_label text,
  gold_label text,
  eligible uuid[],                    -- workers (by this tenant's pseudonyms) who may judge it; NULL: anybody
  fingerprint bytea NOT NULL,         -- of everything above: the same reference with other bytes is refused
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, dataset, ref),
  FOREIGN KEY (tenant, dataset) REFERENCES dataset (tenant, id),
  FOREIGN KEY (tenant, asset) REFERENCES blob (tenant, sha256)
);
CREATE TABLE import_run (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  dataset uuid NOT NULL,
  source jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  cursor text,                        -- the place up to which everything is committed
  found bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  unchanged bigint NOT NULL DEFAULT 0,
  refused bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  error text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, dataset) REFERENCES dataset (tenant, id)
);
CREATE TABLE import_refusal (
  tenant uuid NOT NULL,
  import uuid NOT NULL,
  n bigint GENERATED ALWAYS AS IDENTITY,
  place text NOT NULL,
  ref text,
  reason text NOT NULL,
  detail text NOT NULL,
  remedy text NOT NULL,
  PRIMARY KEY (tenant, import, n),
  FOREIGN KEY (tenant, import) REFERENCES import_run (tenant, id)
);

-- ---------------------------------------------------------------- ontology
CREATE TABLE ontology (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name)
);
CREATE TABLE ontology_version (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  ontology uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  kind text NOT NULL,
  spec text NOT NULL,
  guidelines jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, ontology, version),
  FOREIGN KEY (tenant, ontology) REFERENCES ontology (tenant, id)
);

-- ---------------------------------------------------------------- workforce
-- `worker` is how one tenant knows a person; another tenant knows the same person by another identifier.
CREATE TABLE contributor (
  tenant uuid NOT NULL REFERENCES tenant (id),
  worker uuid NOT NULL,
  person uuid NOT NULL REFERENCES person (id),
  admitted_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, worker),
  UNIQUE (tenant, person)
);
CREATE INDEX contributor_person ON contributor (person);

-- ---------------------------------------------------------------- projects, offers, tasks
CREATE TABLE project (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  dataset uuid NOT NULL,
  ontology_version uuid NOT NULL,
  kind text NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'stopped')),
  target_accuracy double precision NOT NULL CHECK (target_accuracy BETWEEN 0.5 AND 0.9999),
  confidence double precision NOT NULL CHECK (confidence BETWEEN 0.5 AND 0.9999),
  min_judgements smallint NOT NULL CHECK (min_judgements >= 1),
  max_judgements smallint NOT NULL CHECK (max_judgements >= min_judgements),
  gold_rate real NOT NULL CHECK (gold_rate BETWEEN 0 AND 0.5),
  audit_items int NOT NULL CHECK (audit_items >= 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  offer_version int NOT NULL DEFAULT 1,
  page_size smallint NOT NULL CHECK (page_size BETWEEN 1 AND 50),
  lease_s int NOT NULL CHECK (lease_s BETWEEN 5 AND 86400),
  routing text NOT NULL CHECK (routing IN ('open', 'directed')),
  queue_epoch int NOT NULL DEFAULT 0,
  tasks_total bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  launched_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name),
  FOREIGN KEY (tenant, dataset) REFERENCES dataset (tenant, id),
  FOREIGN KEY (tenant, ontology_version) REFERENCES ontology_version (tenant, id)
);
CREATE INDEX project_id ON project (id);  -- an offer's link names the project alone
CREATE TABLE offer (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  price_minor bigint NOT NULL CHECK (price_minor > 0),
  fee_bp int NOT NULL CHECK (fee_bp >= 0),
  insurance_bp int NOT NULL CHECK (insurance_bp >= 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  median_s real,
  p75_s real,
  effective_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project, version),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);

-- state: 0 open, 1 collecting, 2 escalated, 3 settled, 4 cancelled
-- open_slots: judgements wanted that nobody holds a lease for; the queue is the partial index below.
CREATE TABLE task (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  item uuid NOT NULL,
  rank bigint NOT NULL,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
  gold boolean NOT NULL DEFAULT false,
  open_slots smallint NOT NULL CHECK (open_slots >= 0),
  leased smallint NOT NULL DEFAULT 0 CHECK (leased >= 0),
  judged smallint NOT NULL DEFAULT 0 CHECK (judged >= 0),
  settled_version int NOT NULL DEFAULT 0,
  confidence real,
  created_at timestamptz NOT NULL,
  settled_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, project, item),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, item) REFERENCES item (tenant, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE INDEX task_queue ON task (tenant, project, rank) WHERE open_slots > 0;
CREATE INDEX task_gold ON task (tenant, project, rank) WHERE gold;
CREATE INDEX task_rank ON task (tenant, project, rank);
CREATE INDEX task_collecting ON task (tenant, project, id) WHERE state = 1;
CREATE INDEX task_doubtful ON task (tenant, project, id) WHERE state = 2;
CREATE TABLE gold (
  tenant uuid NOT NULL,
  task uuid NOT NULL,
  label text NOT NULL,
  code smallint,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, task),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
);
-- Directed routing: who may judge a task (0), who is asked next (1), who has taken it (2).
CREATE TABLE invite (
  tenant uuid NOT NULL,
  task uuid NOT NULL,
  worker uuid NOT NULL,
  project uuid NOT NULL,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
  PRIMARY KEY (tenant, task, worker),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id),
  FOREIGN KEY (tenant, worker) REFERENCES contributor (tenant, worker)
) WITH (fillfactor = 80);
CREATE INDEX invite_asked ON invite (tenant, project, worker) WHERE state = 1;
CREATE TABLE queue_cursor (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  worker uuid NOT NULL,
  rank bigint NOT NULL,
  epoch int NOT NULL,
  served bigint NOT NULL DEFAULT 0,
  gold_served bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, project, worker),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
) WITH (fillfactor = 70);

-- state: 0 claimed, 1 submitted, 2 returned, 3 expired
CREATE TABLE assignment (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  worker uuid NOT NULL,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  fence bigint NOT NULL DEFAULT 1,
  offer_version int NOT NULL,
  price_minor bigint NOT NULL CHECK (price_minor > 0),
  fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
  insurance_minor bigint NOT NULL CHECK (insurance_minor >= 0),
  currency text NOT NULL,
  slot smallint NOT NULL,
  tasks smallint NOT NULL CHECK (tasks > 0),
  open smallint NOT NULL CHECK (open >= 0),
  hold uuid NOT NULL,                 -- the transfer that reserved the money: nothing is leased without it
  idem text,
  claimed_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL,
  ended_at timestamptz,
  return_reason text,
  return_note text,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, worker, idem),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, project, offer_version) REFERENCES offer (tenant, project, version),
  FOREIGN KEY (tenant, worker) REFERENCES contributor (tenant, worker)
) WITH (fillfactor = 80);
CREATE INDEX assignment_open ON assignment (tenant, worker) WHERE state = 0;
CREATE INDEX assignment_due ON assignment (expires_at) WHERE state = 0;
-- state: 0 open, 1 paid, 2 returned, 3 expired, 4 rejected. An open lease is a hold; each ends exactly once.
CREATE TABLE lease (
  tenant uuid NOT NULL,
  assignment uuid NOT NULL,
  task uuid NOT NULL,
  worker uuid NOT NULL,
  project uuid NOT NULL,
  position smallint NOT NULL,
  gold boolean NOT NULL,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
  hold_minor bigint NOT NULL CHECK (hold_minor > 0),
  ended_by uuid,
  CHECK ((state = 0) = (ended_by IS NULL)),
  PRIMARY KEY (tenant, assignment, task),
  FOREIGN KEY (tenant, assignment) REFERENCES assignment (tenant, id),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
) WITH (fillfactor = 80);
-- One person, one task, one time; a returned task is not offered to the same person again, an expired one is.
CREATE UNIQUE INDEX lease_once ON lease (tenant, worker, task) WHERE state IN (0, 1, 2);
CREATE TABLE draft (
  tenant uuid NOT NULL,
  worker uuid NOT NULL,
  task uuid NOT NULL,
  label text NOT NULL,
  rev int NOT NULL CHECK (rev > 0),
  seconds real NOT NULL DEFAULT 0,
  parked boolean NOT NULL DEFAULT false,  -- work that came after its lease had ended: offered back first
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, worker, task),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
);
CREATE INDEX draft_parked ON draft (tenant, worker) WHERE parked;

-- ---------------------------------------------------------------- ledger
CREATE TABLE flow (
  kind text NOT NULL,
  debit_type text NOT NULL,
  credit_type text NOT NULL,
  PRIMARY KEY (kind, debit_type, credit_type)
);
INSERT INTO flow (kind, debit_type, credit_type) VALUES
  ('fund', 'external', 'budget'),
  ('allot', 'budget', 'project_budget'),
  ('unallot', 'project_budget', 'budget'),
  ('hold', 'project_budget', 'escrow'),
  ('pay', 'escrow', 'worker'),
  ('fee', 'escrow', 'platform_fee'),
  ('insure', 'escrow', 'quality_reserve'),
  ('release', 'escrow', 'project_budget'),
  ('reject', 'escrow', 'project_budget'),
  ('refund_quality', 'quality_reserve', 'budget'),
  ('topup', 'topup_reserve', 'worker'),
  ('bonus', 'project_budget', 'worker'),
  ('payout', 'worker', 'payout_clearing'),
  ('settle', 'payout_clearing', 'external'),
  ('payout_return', 'payout_clearing', 'worker');
CREATE TABLE account (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('external', 'budget', 'project_budget', 'escrow', 'worker', 'platform_fee',
    'quality_reserve', 'topup_reserve', 'payout_clearing')),
  project uuid,
  worker uuid,
  slot smallint NOT NULL DEFAULT 0,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  balance_minor bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  CHECK (type = 'external' OR balance_minor >= 0),
  CHECK ((type = 'worker') = (worker IS NOT NULL)),
  CHECK ((type IN ('project_budget', 'escrow')) = (project IS NOT NULL)),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, id, type, currency),
  UNIQUE NULLS NOT DISTINCT (tenant, type, project, worker, slot, currency),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id),
  FOREIGN KEY (tenant, worker) REFERENCES contributor (tenant, worker)
) WITH (fillfactor = 50);
CREATE TABLE transfer (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  idem uuid NOT NULL,
  kind text NOT NULL,
  debit uuid NOT NULL,
  debit_type text NOT NULL,
  credit uuid NOT NULL,
  credit_type text NOT NULL,
  currency text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  ref uuid,
  offer_version int,
  event bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, idem),
  CHECK (debit <> credit),
  FOREIGN KEY (kind, debit_type, credit_type) REFERENCES flow (kind, debit_type, credit_type),
  -- type and currency of both sides in one key each: a leg cannot name an account as something it is not
  FOREIGN KEY (tenant, debit, debit_type, currency) REFERENCES account (tenant, id, type, currency),
  FOREIGN KEY (tenant, credit, credit_type, currency) REFERENCES account (tenant, id, type, currency),
  FOREIGN KEY (tenant, event) REFERENCES event (tenant, seq)
);
CREATE INDEX transfer_ref ON transfer (tenant, ref);
CREATE INDEX transfer_credit ON transfer (tenant, credit, at);

ALTER TABLE assignment ADD FOREIGN KEY (tenant, hold) REFERENCES transfer (tenant, id);
ALTER TABLE lease ADD FOREIGN KEY (tenant, ended_by) REFERENCES transfer (tenant, id);

-- ---------------------------------------------------------------- judgements and what becomes of them
CREATE TABLE judgement (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  task uuid NOT NULL,
  project uuid NOT NULL,
  assignment uuid NOT NULL,
  worker uuid NOT NULL,
  label text NOT NULL,
  code smallint,                      -- class number of a single choice: what inference reads
  seconds real NOT NULL,
  gold boolean NOT NULL,
  price_minor bigint NOT NULL CHECK (price_minor > 0),
  transfer uuid NOT NULL,             -- the payment: there is no judgement without one
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, task, worker),
  FOREIGN KEY (tenant, assignment, task) REFERENCES lease (tenant, assignment, task),
  FOREIGN KEY (tenant, transfer) REFERENCES transfer (tenant, id)
);
CREATE INDEX judgement_project ON judgement (tenant, project, id);
CREATE INDEX judgement_worker ON judgement (tenant, worker, at);
CREATE TABLE model_version (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  version int NOT NULL,
  method text NOT NULL,
  rho double precision NOT NULL,
  judgements bigint NOT NULL,
  state bytea NOT NULL,               -- the frozen parameters: any past decision can be replayed from them
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project, version),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
CREATE TABLE skill (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  worker uuid NOT NULL,
  judgements bigint NOT NULL,
  gold_seen int NOT NULL,
  gold_right int NOT NULL,
  skill real NOT NULL,
  low real NOT NULL,
  high real NOT NULL,
  flags jsonb NOT NULL DEFAULT '[]',
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project, worker),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
CREATE TABLE settlement (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  task uuid NOT NULL,
  project uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  label text,
  code smallint,
  confidence real NOT NULL,
  how text NOT NULL CHECK (how IN ('crowd', 'adjudicated', 'undecidable')),
  method text NOT NULL,
  model_version int,
  judgements uuid[] NOT NULL,
  person uuid,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, task, version),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
);
CREATE INDEX settlement_project ON settlement (tenant, project, id);
CREATE TABLE adjudication (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  task uuid NOT NULL,
  person uuid,
  label text,
  undecidable boolean NOT NULL,
  note text NOT NULL DEFAULT '',
  at timestamptz NOT NULL,
  CHECK (undecidable = (label IS NULL)),
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, task) REFERENCES task (tenant, id)
);
CREATE INDEX adjudication_task ON adjudication (tenant, task);

-- ---------------------------------------------------------------- releases
CREATE TABLE release (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  state text NOT NULL CHECK (state IN ('frozen', 'auditing', 'certified', 'failed')),
  licence text NOT NULL,
  items bigint NOT NULL,
  plan text NOT NULL,                 -- canonical JSON: declared, hashed and stored before the draw
  plan_sha256 bytea NOT NULL,
  rows_sha256 bytea NOT NULL,
  seed_commitment bytea NOT NULL,
  seed bytea,                         -- revealed once the rows are frozen
  certificate text,
  created_at timestamptz NOT NULL,
  certified_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, project, name),
  FOREIGN KEY (tenant, project) REFERENCES project (tenant, id)
);
CREATE TABLE release_row (
  tenant uuid NOT NULL,
  release uuid NOT NULL,
  position bigint NOT NULL,
  task uuid NOT NULL,
  settlement uuid NOT NULL,
  PRIMARY KEY (tenant, release, position),
  UNIQUE (tenant, release, task),
  FOREIGN KEY (tenant, release) REFERENCES release (tenant, id),
  FOREIGN KEY (tenant, settlement) REFERENCES settlement (tenant, id)
);
CREATE TABLE audit_item (
  tenant uuid NOT NULL,
  release uuid NOT NULL,
  id uuid NOT NULL,
  draw int NOT NULL,
  row bigint NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, release, draw),
  UNIQUE (tenant, release, row),
  FOREIGN KEY (tenant, release, row) REFERENCES release_row (tenant, release, position)
);
CREATE TABLE audit_judgement (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  audit_item uuid NOT NULL,
  person uuid,
  label text,
  undecidable boolean NOT NULL,
  correct boolean,
  seconds real NOT NULL,
  at timestamptz NOT NULL,
  CHECK (undecidable = (label IS NULL)),
  CHECK (undecidable = (correct IS NULL)),
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, audit_item),
  FOREIGN KEY (tenant, audit_item) REFERENCES audit_item (tenant, id)
);
CREATE TABLE export (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  release uuid NOT NULL,
  format text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  rows bigint NOT NULL DEFAULT 0,
  bytes bigint,
  sha256 bytea,
  media_type text,
  file_name text,
  error text,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, release) REFERENCES release (tenant, id)
);
CREATE INDEX export_release ON export (tenant, release);

-- ---------------------------------------------------------------- webhooks
CREATE TABLE webhook (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  url text NOT NULL,
  secret text NOT NULL,
  events text[] NOT NULL,
  state text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE TABLE webhook_delivery (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  webhook uuid NOT NULL,
  event bigint NOT NULL,
  kind text NOT NULL,
  body text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  tries int NOT NULL DEFAULT 0,
  last_status int,
  last_error text,
  next_at timestamptz,
  created_at timestamptz NOT NULL,
  delivered_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, webhook, event),
  FOREIGN KEY (tenant, webhook) REFERENCES webhook (tenant, id),
  FOREIGN KEY (tenant, event) REFERENCES event (tenant, seq)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_at) WHERE state = 'waiting';

-- ---------------------------------------------------------------- append-only
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON judgement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON offer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON adjudication FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_judgement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_item FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON release_row FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- a closed table: a new kind of transfer is a new migration
CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON flow FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- row level security
DO $$
DECLARE t text;
BEGIN
  FOR t IN
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    -- the app (a tenant's side) and the owner (inside definer functions) see one tenant at a time
    EXECUTE format('CREATE POLICY tenant_only ON %I TO cupola_app, cupola_owner '
      'USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()))', t);
  END LOOP;
END $$;

-- The gateway serves contributors: their own rows, and what is on offer to everybody.
CREATE POLICY own_rows ON contributor FOR SELECT TO cupola_gateway USING (person = (SELECT current_person()));
CREATE POLICY own_rows ON assignment FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON lease FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON judgement FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON draft FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON account FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND worker = (SELECT current_worker()));
CREATE POLICY own_rows ON transfer FOR SELECT TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND EXISTS (SELECT FROM account a WHERE a.tenant = transfer.tenant
    AND a.id IN (transfer.credit, transfer.debit) AND a.worker = (SELECT current_worker())));
CREATE POLICY on_offer ON project FOR SELECT TO cupola_gateway
  USING (state = 'live' OR tenant = (SELECT current_tenant()));
CREATE POLICY on_offer ON offer FOR SELECT TO cupola_gateway USING (true);
CREATE POLICY on_offer ON ontology_version FOR SELECT TO cupola_gateway
  USING (EXISTS (SELECT FROM project p WHERE p.tenant = ontology_version.tenant AND p.ontology_version = ontology_version.id
    AND p.state <> 'draft'));
CREATE POLICY own_keys ON idempotency TO cupola_gateway
  USING (tenant = (SELECT current_tenant()) AND principal = 'person:' || (SELECT current_person())::text)
  WITH CHECK (tenant = (SELECT current_tenant()) AND principal = 'person:' || (SELECT current_person())::text);

-- Operations see who belongs where and that something happened, never a payload.
CREATE POLICY all_events ON event FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_members ON membership TO cupola_ops USING (true) WITH CHECK (true);
CREATE POLICY all_due ON assignment FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_due ON webhook_delivery FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_admitted ON contributor TO cupola_ops USING (true) WITH CHECK (true);
CREATE POLICY all_states ON project FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_waiting ON import_run FOR SELECT TO cupola_ops USING (true);
CREATE POLICY all_waiting ON export FOR SELECT TO cupola_ops USING (true);

-- ---------------------------------------------------------------- grants
GRANT SELECT, INSERT ON organisation, tenant, person, person_link TO cupola_ops;
GRANT UPDATE ON person, person_link TO cupola_ops;
GRANT SELECT, INSERT, UPDATE, DELETE ON person_session, person_token, event_cursor, process_beat TO cupola_ops;
GRANT SELECT, INSERT ON instance TO cupola_ops;
GRANT SELECT, INSERT, UPDATE ON membership TO cupola_ops;
GRANT SELECT, INSERT ON contributor TO cupola_ops;
GRANT SELECT ON event TO cupola_ops;
GRANT SELECT (tenant, id, expires_at, state) ON assignment TO cupola_ops;
GRANT SELECT (tenant, id, state, next_at) ON webhook_delivery TO cupola_ops;
GRANT SELECT (tenant, id, state) ON project, import_run, export TO cupola_ops;

GRANT SELECT ON tenant, organisation TO cupola_app, cupola_gateway;
GRANT SELECT (id, name, email, locale, created_at) ON person TO cupola_app;
GRANT SELECT, INSERT, UPDATE ON membership, invitation, api_key TO cupola_app;
GRANT SELECT, INSERT, UPDATE ON idempotency TO cupola_app, cupola_gateway;
GRANT SELECT, INSERT ON event TO cupola_app;
GRANT SELECT, INSERT, UPDATE ON dataset, import_run, ontology, ontology_version, project, task, gold, invite, release,
  export, webhook, webhook_delivery, skill TO cupola_app;
GRANT SELECT, INSERT, UPDATE ON item, blob TO cupola_app;
GRANT DELETE ON webhook, webhook_delivery, gold TO cupola_app;
GRANT SELECT, INSERT ON import_refusal, offer, settlement, adjudication, model_version, release_row, audit_item,
  audit_judgement TO cupola_app;
GRANT SELECT ON assignment, lease, judgement, account, transfer, flow, queue_cursor TO cupola_app;
GRANT SELECT (tenant, worker, admitted_at) ON contributor TO cupola_app;  -- never the person behind it
GRANT SELECT ON contributor, assignment, lease, judgement, draft, account, transfer, project, offer, ontology_version
  TO cupola_gateway;
