-- A table has grown by much at once. Until Postgres looks at it by itself, a minute later, plans are those of the small table
-- that it was, and each connection goes on with what it planned then: the check of one foreign key read all items of a tenant,
-- for every task that was made of them.
CREATE OR REPLACE FUNCTION table_grown(p_table text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
BEGIN
  IF p_table NOT IN ('item', 'task') THEN
    RAISE EXCEPTION 'no table that grows by much at once: %', p_table USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('ANALYZE (SKIP_LOCKED) %I', p_table);  -- whoever is at it already does it for both
END $$;
GRANT EXECUTE ON FUNCTION table_grown TO cupola_app;
