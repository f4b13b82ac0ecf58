-- Teammates are members, labelers and open invitations; nothing of them is noted beside that any more.
DROP TABLE order_teammate;
-- An open invitation is found by its address.
CREATE INDEX invitation_email ON invitation (tenant, email) WHERE used_at IS NULL AND email IS NOT NULL;
-- What is done leaves the logs after a while: found by its age, not by reading all of them.
CREATE INDEX order_callback_done ON order_callback (created_at) WHERE state <> 'waiting';
CREATE INDEX webhook_delivery_done ON webhook_delivery (created_at) WHERE state <> 'waiting';
