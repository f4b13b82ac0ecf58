"""What must be the same before and after a migration, as plain words and numbers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.foundry import Foundry

# Said in words that every schema has; each row is one fact.
ASKED = {
    "judgements": "SELECT id, task, worker, label, code, seconds::text, gold, price_minor, at "
    "FROM judgement ORDER BY id",
    "settlements": "SELECT id, task, version, label, confidence::text, how, method, at FROM settlement ORDER BY id",
    "balances": "SELECT id, type, currency, balance_minor FROM account ORDER BY id",
    "transfers": "SELECT id, idem, kind, debit, credit, currency, amount_minor, ref, at FROM transfer ORDER BY id",
    "events": "SELECT tenant, seq, kind, subject, project, data::text, at FROM event ORDER BY seq",
    "tasks": "SELECT id, project, item, state, gold, open_slots, leased, judged, settled_version FROM task ORDER BY id",
    "items": "SELECT id, dataset, ref, body, gold_label, metadata::text FROM item ORDER BY id",
    "pages": "SELECT id, project, worker, state, price_minor, tasks, open, hold, expires_at "
    "FROM assignment ORDER BY id",
    "leases": "SELECT assignment, task, worker, state, gold, hold_minor, ended_by FROM lease ORDER BY assignment, task",
    "drafts": "SELECT worker, task, label, rev, parked FROM draft ORDER BY worker, task",
    "golds": "SELECT task, label, code FROM gold ORDER BY task",
    "invites": "SELECT task, worker, project, state FROM invite ORDER BY task, worker",
    "releases": "SELECT id, name, state, items, plan, encode(rows_sha256, 'hex'), encode(seed, 'hex'), certificate "
    "FROM release ORDER BY id",
    "release_rows": "SELECT release, position, task, settlement FROM release_row ORDER BY release, position",
    "audits": "SELECT u.id, a.release, a.draw, a.row, u.label, u.correct, u.round FROM audit_judgement u "
    "JOIN audit_item a ON a.tenant = u.tenant AND a.id = u.audit_item ORDER BY u.id",
    "orders": "SELECT id, state, params, response, foundry_task FROM order_task ORDER BY id",
}


def facts(foundry: Foundry) -> dict[str, Any]:
    """For each question how many rows answer it, and the hash of all of them."""
    told = {}
    for name, question in ASKED.items():
        rows = [[None if value is None else str(value) for value in row] for row in foundry.sql(question)]
        told[name] = [len(rows), hashlib.sha256(json.dumps(rows).encode()).hexdigest()]
    return told
