-- Old messages are taken away by the sweeper alone (functions/sweep.sql), tenant by tenant.
REVOKE DELETE ON order_callback FROM cupola_app;
REVOKE SELECT (created_at) ON order_callback, webhook_delivery FROM cupola_ops;
DROP INDEX webhook_delivery_done;
DROP INDEX order_callback_done;
CREATE INDEX webhook_delivery_done ON webhook_delivery (tenant, created_at) WHERE state <> 'waiting';
CREATE INDEX order_callback_done ON order_callback (tenant, created_at) WHERE state <> 'waiting';
