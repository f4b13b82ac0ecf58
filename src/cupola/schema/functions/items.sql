-- The parts of an item that has any, in order, as a JSON list; NULL where the item is its own one part.
CREATE OR REPLACE FUNCTION item_parts(p_tenant uuid, p_item uuid) RETURNS json LANGUAGE sql STABLE
  AS $$
  SELECT json_agg(json_build_object('ordinal', x.ordinal, 'role', x.role, 'sensor', x.sensor, 'timestamp_ns', x.timestamp_ns,
    'asset', encode(x.asset, 'hex'), 'url', x.url, 'body', x.body, 'media_type', x.media_type, 'bytes', x.bytes,
    'facts', x.facts::json, 'meta', x.meta) ORDER BY x.ordinal)
  FROM item_part x WHERE x.tenant = p_tenant AND x.item = p_item
$$;

-- What an item is, for whoever shows it: to_json of a row of this is the document that catalog.showing reads. p_id: how it is
-- called there. Postgres writes it into the statement that calls it, so an item without parts costs no call.
CREATE OR REPLACE FUNCTION item_shown(p_item item, p_id uuid, p_blob blob)
RETURNS TABLE (item uuid, ref text, media_type text, asset text, url text, body text, width_px int, height_px int, thumb text,
  metadata jsonb, facts json, parts json)
LANGUAGE sql STABLE AS $$
  SELECT p_id, p_item.ref, p_item.media_type, encode(p_item.asset, 'hex'), p_item.url, p_item.body,
    coalesce(p_item.width_px, p_blob.width_px), coalesce(p_item.height_px, p_blob.height_px),
    encode(p_blob.thumb_sha256, 'hex'), p_item.metadata, p_item.facts::json,
    CASE WHEN p_item.parts > 0 THEN item_parts(p_item.tenant, p_item.id) END
$$;

-- How many bytes of an item a page carries: words, metadata, and the label that it came with.
CREATE OR REPLACE FUNCTION item_bytes(p_item item) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(octet_length(p_item.body), 0) + octet_length(p_item.metadata::text) + coalesce(label_bytes(p_item.pre_label), 0)
    + CASE WHEN p_item.parts > 0 THEN (SELECT coalesce(sum(coalesce(octet_length(x.body), 0) + octet_length(x.meta::text)), 0)
      FROM item_part x WHERE x.tenant = p_item.tenant AND x.item = p_item.id) ELSE 0 END
$$;

GRANT EXECUTE ON FUNCTION item_parts, item_shown, item_bytes TO cupola_app;
