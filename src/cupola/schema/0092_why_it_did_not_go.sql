-- Why a message did not go out, and why an import or an export ended early, by a code that a browser has words for in its language;
-- the sentence stays beside it.
ALTER TABLE webhook_delivery ADD COLUMN IF NOT EXISTS last_error_code text;
ALTER TABLE order_callback ADD COLUMN IF NOT EXISTS last_error_code text;
ALTER TABLE import_run ADD COLUMN IF NOT EXISTS error_code text;
ALTER TABLE export ADD COLUMN IF NOT EXISTS error_code text;
