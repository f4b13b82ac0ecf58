-- What a label is made of, each part with the confidence it was settled with and the judgements that stand behind it. A
-- label of one unit has no rows: its part is the settlement itself.
CREATE TABLE settlement_part (
  tenant uuid NOT NULL,
  settlement uuid NOT NULL,
  unit text NOT NULL CHECK (length(unit) BETWEEN 1 AND 256),
  unit_kind text NOT NULL,
  label text NOT NULL,                -- one that says this unit alone
  confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  judgements uuid[] NOT NULL,
  PRIMARY KEY (tenant, settlement, unit),
  FOREIGN KEY (tenant, settlement) REFERENCES settlement (tenant, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_part FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE settlement_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_part FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON settlement_part TO cupola_app, cupola_owner
  USING (tenant = (SELECT current_tenant())) WITH CHECK (tenant = (SELECT current_tenant()));
-- an auditor sees no part of a label that they are to judge: what is kept from them of the settlement is kept here
CREATE POLICY blind ON settlement_part AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL
    OR EXISTS (SELECT FROM settlement s WHERE s.tenant = settlement_part.tenant AND s.id = settlement_part.settlement)));
GRANT SELECT, INSERT ON settlement_part TO cupola_app;

-- Of a blind verdict: which units of the released label have no counterpart in the auditor's, and how many of the auditor's
-- it lacks. NULL where a label is one unit, and for what cannot be decided.
ALTER TABLE audit_judgement ADD COLUMN wrong_units text[];
ALTER TABLE audit_judgement ADD COLUMN missing_units int;
ALTER TABLE audit_judgement ADD COLUMN released_units int;  -- how many the released label has
