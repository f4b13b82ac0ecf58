-- An auditor reads no label that they are to judge, by whatever route: the rows themselves are kept from them.
CREATE POLICY blind ON settlement AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task NOT IN (SELECT blind_tasks())));
CREATE POLICY blind ON judgement AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task NOT IN (SELECT blind_tasks())));
CREATE POLICY blind ON adjudication AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR task NOT IN (SELECT blind_tasks())));
CREATE POLICY blind ON export AS RESTRICTIVE FOR SELECT TO cupola_app
  USING (tenant = (SELECT current_tenant()) AND ((SELECT current_person()) IS NULL OR release NOT IN (SELECT blind_releases())));
