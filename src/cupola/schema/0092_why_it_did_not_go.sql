-- Why a message did not go out, and why an import or an export ended early, by a code that a browser has words for in its language;
-- the sentence stays beside it.
ALTER TABLE webhook_delivery ADD COLUMN last_error_code text;
ALTER TABLE order_callback ADD COLUMN last_error_code text;
ALTER TABLE import_run ADD COLUMN error_code text;
ALTER TABLE export ADD COLUMN error_code text;
