-- A draft is what was kept whole and the differences since, so that one vertex of one of fifty masks is one small write: a
-- large label lies beside its row, and stays there untouched. writer: who keeps it (one opened editor); a difference is
-- taken only from the one whose text it builds on.
ALTER TABLE draft
  ADD COLUMN writer text NOT NULL DEFAULT '',
  ADD COLUMN base_rev int NOT NULL DEFAULT 0,
  ADD COLUMN patch_revs int[] NOT NULL DEFAULT '{}',
  ADD COLUMN patches text[] NOT NULL DEFAULT '{}';
