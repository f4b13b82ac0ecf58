-- The heaviest item of a project (item_bytes): where a page of the heaviest would fit into one answer, a claim weighs none.
ALTER TABLE project ADD COLUMN heaviest_bytes bigint NOT NULL DEFAULT 0;
UPDATE project p SET heaviest_bytes = coalesce((
  SELECT max(coalesce(octet_length(i.body), 0) + octet_length(i.metadata::text) + coalesce(octet_length(i.pre_label), 0)
    + CASE WHEN i.parts > 0 THEN (SELECT coalesce(sum(coalesce(octet_length(x.body), 0) + octet_length(x.meta::text)), 0)
      FROM item_part x WHERE x.tenant = i.tenant AND x.item = i.id) ELSE 0 END)
  FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item WHERE t.tenant = p.tenant AND t.project = p.id), 0);
