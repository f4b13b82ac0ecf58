"""Routes of money: a tenant's accounts and transfers, a contributor's earnings and statement."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import clock, ids
from cupola.kernel.errors import invalid
from cupola.ledger import service, store
from cupola.ledger.model import Account, Check, Earnings, Money, Payment, Transfer
from cupola.platform.pg.tx import Role
from cupola.platform.web import (
    Contributor,
    Cursor,
    Limit,
    Listed,
    Manager,
    Operator,
    Owner,
    Principal,
    attachment,
    decode_cursor,
    found,
    listed,
    post,
    principal,
    reply,
    runtime,
    table_cell,
)
from cupola.platform.web_once import once

router = APIRouter(tags=["money"])
_SPAN = "A day or a moment with its offset."
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # nobody was paid before


class Amount(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount_minor: int = Field(gt=0, le=10**15, description="Minor units: 1250 is 12.50.")
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")


@router.get("/api/money", response_model=Money)
async def get_money(request: Request, who: Manager) -> Response:
    """The tenant's accounts."""
    may_fund = (await principal(request)).operator or (who.world == "test" and who.role == "owner")
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.money(conn, who.tenant, may_fund=may_fund))


@router.post("/api/money/fund", response_model=Account, status_code=201)
async def post_fund(request: Request, who: Owner, body: Amount) -> Response:
    """Put money into the tenant one acts for: play money in a world of tests, else the operator's record of a payment
    received."""
    asking = await principal(request)
    if asking.operator:
        return await _fund(request, asking, who.tenant, body)
    return await post(request, who, lambda conn: service.play(conn, who.tenant, body.amount_minor, body.currency))


@router.post("/api/tenants/{tenant}/fund", response_model=Account, status_code=201, tags=["operator"])
async def post_fund_tenant(request: Request, who: Operator, tenant: UUID, body: Amount) -> Response:
    """Record a payment received for a tenant. A retry with the same Idempotency-Key records it once."""
    return await _fund(request, who, tenant, body)


async def _fund(request: Request, who: Principal, tenant: UUID, body: Amount) -> Response:
    db = runtime(request).db
    move = (await once(request, who)).uuid("fund", tenant)
    async with db.tx(Role.OPS, tenant=tenant) as conn:
        found(await store.WORLD.maybe(conn, tenant=tenant), "tenant")
        await service.fund(conn, tenant, body.amount_minor, body.currency, move)
    async with db.tx(Role.APP, tenant=tenant) as conn:
        return reply(await service.balance(conn, tenant, "budget", None, body.currency), 201)


@router.get("/api/transfers", response_model=Listed[Transfer])
async def get_transfers(
    request: Request, who: Manager, limit: Limit = 50, cursor: Cursor = None, project: UUID | None = None
) -> Response:
    """Every transfer of the tenant, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await store.TRANSFERS.all(
            conn, tenant=who.tenant, before=before or ids.LAST, project=project, limit=limit + 1
        )
    return listed(rows, limit, lambda row: row.id)


@router.get("/api/work/earnings", response_model=Earnings)
async def get_earnings(request: Request, person: Contributor) -> Response:
    """What you earned, by project, and your last payments."""
    return reply(await service.earnings(runtime(request).db, person))


@router.get(
    "/api/work/statement",
    response_model=list[Payment],
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def get_statement(
    request: Request,
    person: Contributor,
    since: Annotated[str | None, Query(alias="from", description=_SPAN, max_length=40)] = None,
    until: Annotated[str | None, Query(alias="to", description=_SPAN, max_length=40)] = None,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """A statement of earnings: every payment in the span (default: the last 31 days, at most 10,000 rows).

    A day without a time counts whole, the last one too; days are those of UTC.
    """
    end = max(_moment(until, "?to", end=True) or clock.now(), BEGINNING)
    begin = _moment(since, "?from", end=False) or end - timedelta(days=31)
    rows = await service.statement(runtime(request).db, person, begin, end, 10_000)
    if format == "json":
        return reply(rows)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["at", "project", "kind", "amount_minor", "currency"])
    table.writerows(
        [row.at.isoformat(), table_cell(row.name), row.kind, row.amount_minor, row.currency] for row in rows
    )
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": attachment("cupola-statement.csv")},
    )


def _moment(text: str | None, place: str, *, end: bool) -> datetime | None:
    """A day or a moment of a query; a day means its beginning, or for the `end` of a span the beginning of the next."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            # the plus of an offset arrives as a space when whoever wrote the address did not encode it
            moment = datetime.fromisoformat(text.replace(" ", "+"))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise invalid(
                "moment-unreadable",
                f"{text!r} is neither a day nor a moment.",
                place=place,
                remedy="Write 2026-11-25, or 2026-11-25T08:00:00Z.",
            ) from None
    try:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=end)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


@router.post("/api/projects/{project}/allot", response_model=Account, status_code=201)
async def post_allot(request: Request, who: Manager, project: UUID, body: Amount) -> Response:
    """Move money from the tenant's budget to a project's: only what is there can be reserved for work."""
    return await post(
        request, who, lambda conn: service.allot(conn, who.tenant, project, body.amount_minor, body.currency)
    )


@router.get("/api/ledger/check", response_model=Check)
async def get_check(request: Request, who: Operator) -> Response:
    """Test the invariants L1-L12 on every tenant: sums and identifiers only, nobody's data."""
    run = runtime(request)
    async with run.db.tx(Role.OPS) as conn:
        tenants = [row.id for row in await store.TENANTS.all(conn)]
    return reply(await service.check(run.db, tenants))
