-- What the sweeper looks for (functions/sweep.sql) is found by an index.
CREATE INDEX idempotency_age ON idempotency (tenant, at);
CREATE INDEX import_run_ended ON import_run (tenant, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX settlement_model ON settlement (tenant, project, model_version) WHERE model_version IS NOT NULL;
CREATE INDEX job_given_up ON job (tenant, failed_at) WHERE failed_at IS NOT NULL;
