-- Indexes of tables that are large where Cupola has been at work: made beside the traffic, after the numbered files, outside of
-- any transaction (platform/pg/indexes.py). Each in its present form, as
--   CREATE [UNIQUE] INDEX CONCURRENTLY name ON table (columns) [WHERE …];
-- One that changes gets another name, and a numbered file drops the one that was. An index of a table that a numbered file
-- makes anew belongs beside that table.

-- A label beyond 32 kB lies in a blob, and its column names it: '@<sha256>:<bytes>' (platform/pg/long.py). Which blobs are named
-- is found by these, which have entries for such labels alone. Drafts have none: a label that is rewritten every few seconds is
-- better off without, and there are few of them.
CREATE INDEX CONCURRENTLY judgement_long ON judgement (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY settlement_long ON settlement (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY settlement_part_long ON settlement_part (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY adjudication_long ON adjudication (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY audit_judgement_long ON audit_judgement (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY gold_long ON gold (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY opinion_long ON opinion (tenant, label) WHERE starts_with(label, '@');
CREATE INDEX CONCURRENTLY item_pre_label_long ON item (tenant, pre_label) WHERE starts_with(pre_label, '@');
CREATE INDEX CONCURRENTLY item_gold_label_long ON item (tenant, gold_label) WHERE starts_with(gold_label, '@');
-- which pictures have this thumbnail
CREATE INDEX CONCURRENTLY blob_thumb ON blob (tenant, thumb_sha256) WHERE thumb_sha256 IS NOT NULL;
