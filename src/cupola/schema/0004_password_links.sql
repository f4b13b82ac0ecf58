-- A third purpose of a one-time link: a new password for somebody who forgot theirs.
ALTER TABLE person_link DROP CONSTRAINT person_link_purpose_check;
ALTER TABLE person_link ADD CONSTRAINT person_link_purpose_check
  CHECK (purpose IN ('operator', 'contributor', 'password') AND (purpose <> 'password' OR email IS NOT NULL));
