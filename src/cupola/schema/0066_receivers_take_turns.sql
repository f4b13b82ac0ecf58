-- Messages go out receiver by receiver: each is found by the index, however much waits for others.
CREATE INDEX webhook_delivery_lane ON webhook_delivery (tenant, webhook, next_at) WHERE state = 'waiting';
ALTER TABLE order_callback ADD COLUMN lane uuid NOT NULL GENERATED ALWAYS AS (md5(url)::uuid) STORED;
CREATE INDEX order_callback_lane ON order_callback (tenant, lane, next_at) WHERE state = 'waiting';
DROP INDEX webhook_delivery_due;
DROP INDEX order_callback_due;
GRANT SELECT (webhook) ON webhook_delivery TO cupola_ops;
GRANT SELECT (lane) ON order_callback TO cupola_ops;
