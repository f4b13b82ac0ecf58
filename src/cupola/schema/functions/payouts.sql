-- The legs of payouts, one in each tenant's books. Each verb may be repeated: the second time it finds what the first one did.

-- The identifier of a payout in one tenant's books: two tenants that compare theirs find nothing in common.
CREATE OR REPLACE FUNCTION payout_leg_id(p_tenant uuid, p_payout uuid) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT substr(encode(sha256(uuid_send(p_payout) || uuid_send(p_tenant)), 'hex'), 1, 32)::uuid
$$;

-- For a payout of theirs that is being gathered, all that a worker has in its currency goes into clearing; returns how much.
CREATE OR REPLACE FUNCTION payout_leg_take(p_tenant uuid, p_payout uuid, p_worker uuid, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_leg_id uuid := payout_leg_id(p_tenant, p_payout); v_currency text; v_have bigint; v_from uuid; v_event bigint;
BEGIN
  SELECT p.currency INTO v_currency FROM payout p JOIN contributor c ON c.person = p.person
    WHERE p.id = p_payout AND p.state = {payout.gathering} AND c.tenant = p_tenant AND c.worker = p_worker;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such payout' USING ERRCODE = 'no_data_found'; END IF;
  SELECT l.amount_minor INTO v_have FROM payout_leg l WHERE l.tenant = p_tenant AND l.id = v_leg_id;
  IF FOUND THEN RETURN v_have; END IF;
  v_from := account_id(p_tenant, 'worker', NULL, p_worker, 0, v_currency);
  SELECT a.balance_minor INTO v_have FROM account a WHERE a.tenant = p_tenant AND a.id = v_from FOR NO KEY UPDATE;
  IF coalesce(v_have, 0) = 0 THEN  -- nothing, or another process took it while this one waited
    RETURN coalesce((SELECT l.amount_minor FROM payout_leg l WHERE l.tenant = p_tenant AND l.id = v_leg_id), 0);
  END IF;
  v_event := event_append(p_tenant, 'money.moved', v_leg_id, NULL, '{"kind": "payout"}', p_now);
  PERFORM ledger_post(p_tenant, ARRAY[v_leg_id], ARRAY[v_leg_id], ARRAY['payout'], ARRAY[v_from],
    ARRAY[account_open(p_tenant, 'payout_clearing', NULL, NULL, 0, v_currency, p_now)], ARRAY[v_have], v_leg_id, NULL, v_event,
    p_now);
  INSERT INTO payout_leg (tenant, id, worker, currency, amount_minor, transfer, at)
    VALUES (p_tenant, v_leg_id, p_worker, v_currency, v_have, v_leg_id, p_now);
  RETURN v_have;
END $$;

-- A leg ends: the money has left, or it is the worker's again. One that was settled may still come back, once.
CREATE OR REPLACE FUNCTION payout_leg_end(p_tenant uuid, p_payout uuid, p_paid boolean, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_leg_id uuid := payout_leg_id(p_tenant, p_payout); v_leg payout_leg; v_kind text; v_id uuid := uuidv7();
  v_event bigint; v_clearing uuid; v_external uuid; v_worker uuid;
BEGIN
  PERFORM set_config('app.tenant', p_tenant::text, true);
  IF NOT EXISTS (SELECT FROM payout p WHERE p.id = p_payout AND p.sent_at IS NOT NULL) THEN
    RAISE EXCEPTION 'this payout was not sent' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  SELECT * INTO v_leg FROM payout_leg WHERE tenant = p_tenant AND id = v_leg_id FOR UPDATE;
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT t.kind INTO v_kind FROM transfer t WHERE t.tenant = p_tenant AND t.id = v_leg.ended_by;
  IF v_kind = 'payout_return' OR v_kind = 'settle' AND p_paid THEN RETURN v_leg.amount_minor; END IF;
  v_clearing := account_id(p_tenant, 'payout_clearing', NULL, NULL, 0, v_leg.currency);
  v_external := account_open(p_tenant, 'external', NULL, NULL, 0, v_leg.currency, p_now);
  v_worker := account_id(p_tenant, 'worker', NULL, v_leg.worker, 0, v_leg.currency);
  v_event := event_append(p_tenant, 'money.moved', v_leg_id, NULL,
    jsonb_build_object('kind', CASE WHEN p_paid THEN 'settle' ELSE 'payout_return' END), p_now);
  IF v_kind = 'settle' THEN
    PERFORM ledger_post(p_tenant, ARRAY[uuidv7()], ARRAY[uuidv7()], ARRAY['unsettle'], ARRAY[v_external], ARRAY[v_clearing],
      ARRAY[v_leg.amount_minor], v_leg_id, NULL, v_event, p_now);
  END IF;
  PERFORM ledger_post(p_tenant, ARRAY[v_id], ARRAY[v_id], ARRAY[CASE WHEN p_paid THEN 'settle' ELSE 'payout_return' END],
    ARRAY[v_clearing], ARRAY[CASE WHEN p_paid THEN v_external ELSE v_worker END], ARRAY[v_leg.amount_minor], v_leg_id, NULL, v_event, p_now);
  UPDATE payout_leg SET ended_by = v_id WHERE tenant = p_tenant AND id = v_leg_id;
  RETURN v_leg.amount_minor;
END $$;

GRANT EXECUTE ON FUNCTION payout_leg_take TO cupola_gateway;
GRANT EXECUTE ON FUNCTION payout_leg_end TO cupola_ops;
