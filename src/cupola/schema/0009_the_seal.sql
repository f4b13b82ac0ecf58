-- What the instance's secret leaves in its database: another secret is noticed before it does harm.
ALTER TABLE instance ADD COLUMN seal bytea CHECK (length(seal) = 32);
