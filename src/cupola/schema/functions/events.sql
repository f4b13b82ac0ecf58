-- The order of events.

-- Begins the next epoch, unless somebody else has done it since the caller looked. Returns the present one. It changes a
-- column's default, and whoever comes while it waits for that lock waits behind it: so it waits a moment only, and whoever
-- calls it calls again.
CREATE OR REPLACE FUNCTION event_epoch_begin(p_seen int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = cupola, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE v_epoch int;
BEGIN
  SELECT epoch INTO v_epoch FROM event_epoch FOR UPDATE;
  IF v_epoch = p_seen THEN
    v_epoch := p_seen + 1;
    EXECUTE format('ALTER TABLE event ALTER COLUMN epoch SET DEFAULT %s', v_epoch);
    UPDATE event_epoch SET epoch = v_epoch, system = (SELECT system_identifier FROM pg_control_system());
  END IF;
  RETURN v_epoch;
END $$;
GRANT EXECUTE ON FUNCTION event_epoch_begin(int) TO cupola_ops;
