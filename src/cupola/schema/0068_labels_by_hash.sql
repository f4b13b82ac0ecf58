-- Every stored label is known by the SHA-256 of its canonical bytes.
ALTER TABLE judgement ADD COLUMN label_sha256 bytea NOT NULL GENERATED ALWAYS AS (label_hash(label)) STORED;
ALTER TABLE gold ADD COLUMN label_sha256 bytea NOT NULL GENERATED ALWAYS AS (label_hash(label)) STORED;
-- these may say that there is no label
ALTER TABLE settlement ADD COLUMN label_sha256 bytea GENERATED ALWAYS AS (label_hash(label)) STORED;
ALTER TABLE adjudication ADD COLUMN label_sha256 bytea GENERATED ALWAYS AS (label_hash(label)) STORED;
ALTER TABLE audit_judgement ADD COLUMN label_sha256 bytea GENERATED ALWAYS AS (label_hash(label)) STORED;
GRANT SELECT (label_sha256) ON judgement TO cupola_gateway;
