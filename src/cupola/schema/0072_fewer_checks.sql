-- Keys that guarded nothing and were looked up, and locked for sharing, with each claim and submit. A tenant is never deleted,
-- and row level security has named it; an offer's key has its project; and events are cut off by time, so that nothing may
-- hang on one.
ALTER TABLE event DROP CONSTRAINT event_tenant_fkey;
ALTER TABLE tally DROP CONSTRAINT tally_tenant_fkey;
ALTER TABLE assignment DROP CONSTRAINT assignment_tenant_project_fkey;
ALTER TABLE transfer DROP CONSTRAINT transfer_tenant_event_fkey;
ALTER TABLE webhook_delivery DROP CONSTRAINT webhook_delivery_tenant_event_fkey;
