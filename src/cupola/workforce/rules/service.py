"""How the rules of work stand on an instance: looked up, not claimed."""

from __future__ import annotations

from cupola.kernel import clock
from cupola.platform.pg.tx import Database, Role
from cupola.workforce.rules import store
from cupola.workforce.rules.model import RULES, Found, Offence, Report, Rule, State


async def report(db: Database) -> Report:
    """Each rule with its state. What ran out is decided first, as any reader would; then one snapshot a tenant."""
    now = clock.now()
    async with db.tx(Role.OPS) as conn:
        tenants = [row.id for row in await store.TENANTS.all(conn)]
    offences: dict[str, list[Offence]] = {rule.id: [] for rule in RULES}
    for tenant in tenants:
        async with db.tx(Role.APP, tenant=tenant) as conn:
            await store.DUE.one(conn, tenant=tenant, now=now)
        async with db.tx(Role.APP, tenant=tenant, snapshot=True) as conn:
            for rule, query in store.QUERIES.items():
                given = {"tenant": tenant, "now": now} if "%(now)s" in query.sql else {"tenant": tenant}
                offences[rule] += [Offence(tenant, row.detail) for row in await query.all(conn, **given)]
    async with db.tx(Role.OPS, snapshot=True) as conn:
        for rule, query in store.ACROSS.items():
            offences[rule] += [Offence(None, row.detail) for row in await query.all(conn)]
    return Report(len(tenants), [_found(rule, offences[rule.id]) for rule in RULES])


def _found(rule: Rule, offences: list[Offence]) -> Found:
    state: State = "broken" if offences else "absent" if rule.absent else "partly" if rule.lacks else "holds"
    looked_at = rule.id in store.QUERIES or rule.id in store.ACROSS
    return Found(rule.id, state, rule.says, rule.held_by, rule.lacks, looked_at, offences)
