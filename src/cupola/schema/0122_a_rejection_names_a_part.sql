-- What of a label a rejection is about: an object, the answer to a question. NULL: the whole of it.
ALTER TABLE submission_rejection ADD COLUMN part text CHECK (length(part) BETWEEN 1 AND 500);
GRANT SELECT (part) ON submission_rejection TO cupola_gateway;
