-- Who made an invitation, and whether an owner stands behind it: a key lets nobody become a member by itself, and what
-- a key has promised ends with the key.
ALTER TABLE invitation ADD COLUMN key uuid;
ALTER TABLE invitation ADD COLUMN confirmed boolean NOT NULL DEFAULT true;
ALTER TABLE invitation ADD FOREIGN KEY (tenant, key) REFERENCES api_key (tenant, id);
