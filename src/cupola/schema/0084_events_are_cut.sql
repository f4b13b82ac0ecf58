-- Up to when a tenant's events may have been cut off: a transfer of before it may have lost its event (ledger, L11).
CREATE TABLE event_cut (
  tenant uuid PRIMARY KEY REFERENCES tenant (id),
  before timestamptz NOT NULL
);
ALTER TABLE event_cut ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_cut FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON event_cut TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
GRANT SELECT ON event_cut TO cupola_app;
CREATE INDEX export_ended ON export (tenant, finished_at);
