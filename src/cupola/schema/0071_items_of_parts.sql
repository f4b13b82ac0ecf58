-- An item may be made of parts: frames of a sequence, a scan and its pictures, pages of a document. Where there are none
-- (`parts` is 0) the item's own row says what it is made of: it is its one part, and no row here says so again.
ALTER TABLE item ADD COLUMN parts smallint NOT NULL DEFAULT 0;
-- What else is known of an item than its own columns say, as JSON (labels.facts); size and media type stay columns.
ALTER TABLE item ADD COLUMN facts text;
CREATE TABLE item_part (
  tenant uuid NOT NULL,
  item uuid NOT NULL,
  ordinal smallint NOT NULL CHECK (ordinal >= 0),
  role text NOT NULL,                 -- what it is in the item, in its owner's words: "front", "page"
  sensor text NOT NULL,
  timestamp_ns bigint,
  asset bytea,                        -- sha256 of a blob of ours, or
  url text,                           -- a reference we do not copy, or
  body text,                          -- a short text
  media_type text NOT NULL,
  bytes bigint NOT NULL,
  facts text NOT NULL,                -- all that is known of it, as JSON
  meta jsonb NOT NULL,
  PRIMARY KEY (tenant, item, ordinal),
  FOREIGN KEY (tenant, item) REFERENCES item (tenant, id),
  FOREIGN KEY (tenant, asset) REFERENCES blob (tenant, sha256),
  CHECK (num_nonnulls(asset, url, body) = 1)
);
ALTER TABLE item_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_part FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON item_part TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
-- Items never change, and neither do their parts.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON item_part FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON item_part TO cupola_app;
