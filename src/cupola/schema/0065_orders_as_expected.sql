-- A pause keeps what the batch was before: a staged one that is resumed is staged again.
ALTER TABLE order_batch ADD COLUMN paused_from smallint CHECK (paused_from BETWEEN 0 AND 1);
-- What was told of a delivered task stays as it was then; NULL in deliveries from before this was kept.
ALTER TABLE order_delivery_row ADD COLUMN snapshot text;
-- How a client writes the addresses of its people; they are compared in lower case.
CREATE TABLE order_spelling (
  tenant uuid NOT NULL REFERENCES tenant (id),
  email text NOT NULL,
  shown text NOT NULL CHECK (lower(shown) = email),
  PRIMARY KEY (tenant, email)
);
ALTER TABLE order_spelling ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_spelling FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON order_spelling TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON order_spelling TO cupola_app;
-- Since when an order's attachment is being fetched; what was fetched in one go before is placed anew.
ALTER TABLE order_task ADD COLUMN fetch_since timestamptz;
-- A line whose project was stopped makes nothing more; the next order of its sort gets another one.
ALTER TABLE order_line ADD COLUMN closed_at timestamptz;
ALTER TABLE order_line DROP CONSTRAINT order_line_tenant_project_type_spec_sha256_key;
CREATE UNIQUE INDEX order_line_open ON order_line (tenant, project, type, spec_sha256) NULLS NOT DISTINCT
  WHERE closed_at IS NULL;
UPDATE order_line l SET closed_at = p.created_at FROM project p
  WHERE p.tenant = l.tenant AND p.id = l.foundry AND p.state = 'stopped';
