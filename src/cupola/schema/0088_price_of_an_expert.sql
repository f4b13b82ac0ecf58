-- What an expert's answer costs the organisation, in judgements: what decides whether one more judgement is worth it.
ALTER TABLE project ADD COLUMN expert_cost real NOT NULL DEFAULT 10
  CONSTRAINT project_expert_cost CHECK (expert_cost > 0 AND expert_cost <= 1000);
