-- Orders: what a client asks for in its own words, and what became of it. A world of an organisation is a tenant, so
-- test and live orders are separated by what separates tenants. Parameters, metadata and responses are JSON text, byte
-- for byte as accepted. States are smallint codes; orders/model.py has their words.

CREATE TABLE order_project (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
  type text NOT NULL,
  rapid boolean NOT NULL DEFAULT false,
  studio boolean NOT NULL DEFAULT false,
  dataset_ref text,
  archived boolean NOT NULL DEFAULT false,
  version int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name)
);
-- Each change of a project's parameters is a version of its own; an order keeps the version it was made with.
CREATE TABLE order_project_version (
  tenant uuid NOT NULL,
  project uuid NOT NULL,
  version int NOT NULL CHECK (version >= 0),
  params text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, project, version),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id)
);
-- state: 0 staging, 1 in_progress, 2 completed, 3 paused, 4 cancelled
CREATE TABLE order_batch (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
  kind text NOT NULL CHECK (kind IN ('production', 'calibration', 'self_label')),
  state smallint NOT NULL CHECK (state BETWEEN 0 AND 4),
  callback text,
  metadata text NOT NULL DEFAULT '{}',
  position int,                       -- place in the order of work; NULL: by age, after those that have one
  archived boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, name),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id)
);
CREATE INDEX order_batch_project ON order_batch (tenant, project, id);

-- A production line: the foundry's project that makes what some orders ask for; one for each ontology they need.
CREATE TABLE order_line (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid,
  type text NOT NULL,
  spec_sha256 bytea NOT NULL CHECK (length(spec_sha256) = 32),
  dataset uuid NOT NULL,
  foundry uuid NOT NULL,
  judgements smallint NOT NULL CHECK (judgements > 0),
  each_minor bigint NOT NULL CHECK (each_minor > 0),
  currency text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE NULLS NOT DISTINCT (tenant, project, type, spec_sha256),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id),
  FOREIGN KEY (tenant, dataset) REFERENCES dataset (tenant, id),
  FOREIGN KEY (tenant, foundry) REFERENCES project (tenant, id)
);
CREATE INDEX order_line_foundry ON order_line (tenant, foundry);

-- state: 0 pending, 1 completed, 2 canceled, 3 error. review: 0 pending, 1 accepted, 2 fixed, 3 commented, 4 rejected.
-- role: 0 production, 1 evaluation (gold, hidden in the queue), 2 training.
CREATE TABLE order_task (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  type text NOT NULL,
  role smallint NOT NULL DEFAULT 0 CHECK (role BETWEEN 0 AND 2),
  project uuid,
  project_version int,
  batch uuid,
  state smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  review smallint NOT NULL DEFAULT 0 CHECK (review BETWEEN 0 AND 4),
  unique_id text CHECK (length(unique_id) BETWEEN 1 AND 1000),
  free_unique_id_on_error boolean NOT NULL DEFAULT false,
  instruction text,
  params text NOT NULL,
  metadata text NOT NULL DEFAULT '{}',
  tags text[],
  priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 1000),
  callback text,
  callback_succeeded boolean,
  work text,                          -- what the foundry is asked to do: ontology, guidelines, source; NULL: no editor yet
  waits text,                         -- why it is still pending, in a word of orders/model.py
  expected text,                      -- evaluation and training: the response that is right
  initial text,
  line uuid,
  foundry_task uuid,
  response text,
  error text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, unique_id),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id),
  FOREIGN KEY (tenant, project, project_version) REFERENCES order_project_version (tenant, project, version),
  FOREIGN KEY (tenant, batch) REFERENCES order_batch (tenant, id),
  FOREIGN KEY (tenant, line) REFERENCES order_line (tenant, id),
  FOREIGN KEY (tenant, foundry_task) REFERENCES task (tenant, id)
) WITH (fillfactor = 80);
CREATE INDEX order_task_project ON order_task (tenant, project, id);
CREATE INDEX order_task_batch ON order_task (tenant, batch, id);
CREATE INDEX order_task_foundry ON order_task (tenant, foundry_task) WHERE foundry_task IS NOT NULL;
CREATE INDEX order_task_waiting ON order_task (tenant, id) WHERE state = 0 AND foundry_task IS NULL AND work IS NOT NULL;
CREATE INDEX order_task_line ON order_task (tenant, line, id) WHERE state = 0;

CREATE TABLE order_audit (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  task uuid NOT NULL,
  review smallint NOT NULL CHECK (review BETWEEN 1 AND 4),
  comments text,
  response text,                      -- what was audited
  principal text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, task) REFERENCES order_task (tenant, id)
);
CREATE INDEX order_audit_task ON order_audit (tenant, task, id);

CREATE TABLE order_file (
  tenant uuid NOT NULL REFERENCES tenant (id),
  id uuid NOT NULL,
  asset bytea CHECK (length(asset) = 32),
  url text,                           -- where an import comes from, until it was fetched
  name text NOT NULL,
  reference text,
  projects text[] NOT NULL DEFAULT '{}',
  media_type text NOT NULL,
  bytes bigint NOT NULL DEFAULT 0,
  metadata text NOT NULL DEFAULT '{}',
  error text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  CHECK (asset IS NOT NULL OR url IS NOT NULL)
);

-- One message about an order or a batch on its way to its receiver. state as of webhook deliveries.
CREATE TABLE order_callback (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  task uuid,
  batch uuid,
  kind text NOT NULL,
  url text NOT NULL,
  body text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  tries int NOT NULL DEFAULT 0,
  last_status int,
  last_error text,
  next_at timestamptz,
  created_at timestamptz NOT NULL,
  delivered_at timestamptz,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, task) REFERENCES order_task (tenant, id),
  FOREIGN KEY (tenant, batch) REFERENCES order_batch (tenant, id)
);
CREATE INDEX order_callback_due ON order_callback (next_at) WHERE state = 'waiting';
CREATE INDEX order_callback_task ON order_callback (tenant, task, id);

-- What a tenant's orders pay and how they are checked, unless a project says otherwise.
CREATE TABLE order_terms (
  tenant uuid NOT NULL REFERENCES tenant (id),
  price_minor bigint NOT NULL CHECK (price_minor > 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  min_judgements smallint NOT NULL CHECK (min_judgements >= 1),
  max_judgements smallint NOT NULL CHECK (max_judgements >= min_judgements),
  target_accuracy double precision NOT NULL CHECK (target_accuracy BETWEEN 0.5 AND 0.9999),
  page_size smallint NOT NULL CHECK (page_size BETWEEN 1 AND 50),
  callback text,
  PRIMARY KEY (tenant)
);

CREATE TABLE order_teammate (
  tenant uuid NOT NULL REFERENCES tenant (id),
  email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
  role text NOT NULL CHECK (role IN ('labeler', 'member', 'manager', 'admin')),
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, email)
);
CREATE TABLE order_assigned (
  tenant uuid NOT NULL,
  email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
  project uuid NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant, email, project),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id)
);
CREATE TABLE order_group (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, project, name),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id)
);
CREATE TABLE order_group_member (
  tenant uuid NOT NULL,
  grp uuid NOT NULL,
  email text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
  id uuid NOT NULL,
  PRIMARY KEY (tenant, grp, email),
  FOREIGN KEY (tenant, grp) REFERENCES order_group (tenant, id)
);
CREATE TABLE order_batch_group (
  tenant uuid NOT NULL,
  batch uuid NOT NULL,
  grp uuid NOT NULL,
  PRIMARY KEY (tenant, batch, grp),
  FOREIGN KEY (tenant, batch) REFERENCES order_batch (tenant, id),
  FOREIGN KEY (tenant, grp) REFERENCES order_group (tenant, id)
);

-- A delivery never changes: what a client got is what it finds again.
CREATE TABLE order_delivery (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  project uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
  release uuid,                       -- the release whose rows these are, with its certificate
  tasks int NOT NULL,
  delivered_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, project, name),
  FOREIGN KEY (tenant, project) REFERENCES order_project (tenant, id),
  FOREIGN KEY (tenant, release) REFERENCES release (tenant, id)
);
CREATE TABLE order_delivery_row (
  tenant uuid NOT NULL,
  delivery uuid NOT NULL,
  task uuid NOT NULL,
  response text NOT NULL,
  PRIMARY KEY (tenant, delivery, task),
  FOREIGN KEY (tenant, delivery) REFERENCES order_delivery (tenant, id),
  FOREIGN KEY (tenant, task) REFERENCES order_task (tenant, id)
);

-- After a rejection only what was judged since counts: the judgements before it stay, and stay paid.
ALTER TABLE task ADD COLUMN heard_since timestamptz;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_project_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_delivery FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_delivery_row FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['order_project', 'order_project_version', 'order_batch', 'order_line', 'order_task',
    'order_audit', 'order_file', 'order_callback', 'order_terms', 'order_teammate', 'order_assigned', 'order_group',
    'order_group_member', 'order_batch_group', 'order_delivery', 'order_delivery_row']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_only ON %I TO cupola_app, cupola_owner '
      'USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()))', t);
  END LOOP;
END $$;
CREATE POLICY all_due ON order_callback FOR SELECT TO cupola_ops USING (true);

GRANT SELECT, INSERT, UPDATE ON order_project, order_batch, order_line, order_task, order_file, order_callback,
  order_terms, order_teammate, order_group TO cupola_app;
GRANT SELECT, INSERT ON order_project_version, order_audit, order_delivery, order_delivery_row TO cupola_app;
GRANT SELECT, INSERT, DELETE ON order_assigned, order_group_member, order_batch_group TO cupola_app;
GRANT SELECT (tenant, id, state, next_at) ON order_callback TO cupola_ops;
