-- Money. The running server may only EXECUTE these: it has no right to write a transfer or an account by itself. They run
-- as the owner, who is held by row level security to the tenant that the transaction named.

-- One account is one identifier for ever: derived, so that nobody looks it up.
CREATE OR REPLACE FUNCTION account_id(p_tenant uuid, p_type text, p_project uuid, p_worker uuid, p_slot int, p_currency text)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT md5(concat_ws('|', p_tenant, p_type, coalesce(p_project::text, '-'), coalesce(p_worker::text, '-'), p_slot, p_currency))::uuid
$$;

CREATE OR REPLACE FUNCTION account_open(p_tenant uuid, p_type text, p_project uuid, p_worker uuid, p_slot int, p_currency text, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_id uuid := account_id(p_tenant, p_type, p_project, p_worker, p_slot, p_currency);
BEGIN
  PERFORM FROM account WHERE tenant = p_tenant AND id = v_id;
  IF NOT FOUND THEN
    INSERT INTO account (tenant, id, type, project, worker, slot, currency, created_at)
    VALUES (p_tenant, v_id, p_type, p_project, p_worker, p_slot, p_currency, p_now)
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN v_id;
END $$;

-- Post transfers. The arrays run in parallel. Accounts are locked in id order, so that two postings never wait for each
-- other in a ring; the balance check of the table refuses an overdraft and with it the whole transaction.
CREATE OR REPLACE FUNCTION ledger_post(p_tenant uuid, p_ids uuid[], p_idems uuid[], p_kinds text[], p_debits uuid[], p_credits uuid[],
  p_amounts bigint[], p_ref uuid, p_offer int, p_event bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_posted bigint;
BEGIN
  PERFORM 1 FROM account WHERE tenant = p_tenant AND id = ANY (p_debits || p_credits) ORDER BY id FOR NO KEY UPDATE;
  INSERT INTO transfer (tenant, id, idem, kind, debit, debit_type, credit, credit_type, currency, amount_minor, ref,
    offer_version, event, at)
  SELECT p_tenant, x.id, x.idem, x.kind, d.id, d.type, c.id, c.type, d.currency, x.amount, p_ref, p_offer, p_event, p_now
  FROM unnest(p_ids, p_idems, p_kinds, p_debits, p_credits, p_amounts) AS x (id, idem, kind, debit, credit, amount)
  JOIN account d ON d.tenant = p_tenant AND d.id = x.debit
  JOIN account c ON c.tenant = p_tenant AND c.id = x.credit;
  GET DIAGNOSTICS v_posted = ROW_COUNT;
  IF v_posted <> cardinality(p_ids) THEN  -- a leg found no account, or another tenant's
    RAISE EXCEPTION 'a transfer names an account that does not exist' USING ERRCODE = 'foreign_key_violation';
  END IF;
  UPDATE account a SET balance_minor = a.balance_minor + m.delta, version = a.version + m.n
  FROM (SELECT id, sum(delta)::bigint AS delta, count(*) AS n FROM (
          SELECT debit AS id, -amount AS delta FROM unnest(p_debits, p_amounts) AS d (debit, amount)
          UNION ALL
          SELECT credit, amount FROM unnest(p_credits, p_amounts) AS c (credit, amount)) legs GROUP BY id) m
  WHERE a.tenant = p_tenant AND a.id = m.id;
END $$;

CREATE OR REPLACE FUNCTION event_append(p_tenant uuid, p_kind text, p_subject uuid, p_project uuid, p_data jsonb, p_now timestamptz)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  INSERT INTO event (tenant, kind, subject, project, data, at)
  VALUES (p_tenant, p_kind, p_subject, p_project, p_data, p_now) RETURNING seq
$$;

-- One simple transfer with its event, for the verbs below. What ends a hold or a payout is no simple transfer: the verb
-- that ends it posts it.
CREATE OR REPLACE FUNCTION ledger_move(p_tenant uuid, p_id uuid, p_idem uuid, p_kind text, p_debit uuid, p_credit uuid,
  p_amount bigint, p_project uuid, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_event bigint; v_have transfer;
BEGIN
  IF p_kind NOT IN ('fund', 'allot', 'unallot') THEN
    RAISE EXCEPTION 'a transfer of the kind % belongs to a verb of its own', p_kind USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO v_have FROM transfer WHERE tenant = p_tenant AND idem = p_idem;
  IF FOUND THEN
    IF (v_have.kind, v_have.debit, v_have.credit, v_have.amount_minor) IS DISTINCT FROM (p_kind, p_debit, p_credit, p_amount) THEN
      RAISE EXCEPTION 'the same idempotency key with another transfer' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN v_have.id;
  END IF;
  v_event := event_append(p_tenant, 'money.moved', p_id, p_project, jsonb_build_object('kind', p_kind), p_now);
  PERFORM ledger_post(p_tenant, ARRAY[p_id], ARRAY[p_idem], ARRAY[p_kind], ARRAY[p_debit], ARRAY[p_credit],
    ARRAY[p_amount], p_project, NULL, v_event, p_now);
  RETURN p_id;
END $$;

-- Money comes in by the operator's word alone (or, in a world of tests, as play money), and the running server moves it
-- by verbs that know what they move: it cannot name two accounts and an amount.
CREATE OR REPLACE FUNCTION ledger_fund(p_tenant uuid, p_id uuid, p_idem uuid, p_currency text, p_amount bigint, p_now timestamptz)
RETURNS uuid LANGUAGE sql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
  SELECT ledger_move(p_tenant, p_id, p_idem, 'fund',
    account_open(p_tenant, 'external', NULL, NULL, 0, p_currency, p_now),
    account_open(p_tenant, 'budget', NULL, NULL, 0, p_currency, p_now), p_amount, NULL, p_now)
$$;

CREATE OR REPLACE FUNCTION ledger_play(p_tenant uuid, p_id uuid, p_idem uuid, p_currency text, p_amount bigint, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM tenant WHERE id = p_tenant AND world = 'test') THEN
    RAISE EXCEPTION 'only a world of tests has play money' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN ledger_fund(p_tenant, p_id, p_idem, p_currency, p_amount, p_now);
END $$;

-- To a project, in the currency it pays in; what is stopped takes none, for nothing of it would ever be worked on. The
-- row is held, so that a stop under way is waited for.
CREATE OR REPLACE FUNCTION ledger_allot(p_tenant uuid, p_id uuid, p_idem uuid, p_project uuid, p_amount bigint, p_now timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_currency text; v_state text;
BEGIN
  SELECT currency, state INTO v_currency, v_state FROM project WHERE tenant = p_tenant AND id = p_project FOR KEY SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such project' USING ERRCODE = 'no_data_found'; END IF;
  IF v_state = 'stopped' THEN
    RAISE EXCEPTION 'the project is stopped' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN ledger_move(p_tenant, p_id, p_idem, 'allot',
    account_open(p_tenant, 'budget', NULL, NULL, 0, v_currency, p_now),
    account_open(p_tenant, 'project_budget', p_project, NULL, 0, v_currency, p_now), p_amount, p_project, p_now);
END $$;

-- What a stopped project has left goes back; returns how much that was.
CREATE OR REPLACE FUNCTION ledger_unallot(p_tenant uuid, p_id uuid, p_project uuid, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_currency text; v_left bigint; v_from uuid;
BEGIN
  SELECT currency INTO v_currency FROM project WHERE tenant = p_tenant AND id = p_project AND state = 'stopped';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the project is not stopped' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  v_from := account_open(p_tenant, 'project_budget', p_project, NULL, 0, v_currency, p_now);
  SELECT balance_minor INTO v_left FROM account WHERE tenant = p_tenant AND id = v_from FOR NO KEY UPDATE;
  IF v_left > 0 THEN
    PERFORM ledger_move(p_tenant, p_id, p_id, 'unallot', v_from,
      account_open(p_tenant, 'budget', NULL, NULL, 0, v_currency, p_now), v_left, p_project, p_now);
  END IF;
  RETURN v_left;
END $$;

-- What a project has free and does not need goes back, up to an amount; returns how much that was. Holds are no part of it.
CREATE OR REPLACE FUNCTION ledger_take_back(p_tenant uuid, p_id uuid, p_project uuid, p_amount bigint, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = cupola, pg_temp AS $$
DECLARE v_currency text; v_free bigint; v_from uuid;
BEGIN
  SELECT currency INTO v_currency FROM project WHERE tenant = p_tenant AND id = p_project;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such project' USING ERRCODE = 'no_data_found'; END IF;
  v_from := account_open(p_tenant, 'project_budget', p_project, NULL, 0, v_currency, p_now);
  SELECT least(balance_minor, p_amount) INTO v_free FROM account WHERE tenant = p_tenant AND id = v_from FOR NO KEY UPDATE;
  IF v_free > 0 THEN
    PERFORM ledger_move(p_tenant, p_id, p_id, 'unallot', v_from,
      account_open(p_tenant, 'budget', NULL, NULL, 0, v_currency, p_now), v_free, p_project, p_now);
  END IF;
  RETURN greatest(v_free, 0);
END $$;

GRANT EXECUTE ON FUNCTION account_id TO cupola_app, cupola_gateway, cupola_ops;
GRANT EXECUTE ON FUNCTION event_append, ledger_play, ledger_allot, ledger_unallot, ledger_take_back TO cupola_app;
GRANT EXECUTE ON FUNCTION ledger_fund TO cupola_ops;
