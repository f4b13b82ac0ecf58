-- Whether names, addresses or metadata of a project's gold can be told from the others': whoever works is shown neither then.
ALTER TABLE project ADD COLUMN names_tell boolean NOT NULL DEFAULT false;
