-- Every way to settle keeps what it has learned, not only that of single choices.
ALTER TABLE model_version ADD COLUMN strategy text NOT NULL DEFAULT 'coded';
ALTER TABLE model_version ALTER COLUMN strategy DROP DEFAULT;
