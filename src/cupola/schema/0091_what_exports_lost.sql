-- What a format could not hold of a release, counted by reason (JSON).
ALTER TABLE export ADD COLUMN dropped text;
