-- What an import took otherwise than it stood there, or passed over, is told beside what it refused.
ALTER TABLE import_refusal ADD COLUMN taken boolean NOT NULL DEFAULT false;
ALTER TABLE import_run ADD COLUMN noted bigint NOT NULL DEFAULT 0;
