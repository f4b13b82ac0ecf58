"""Routes of money: a tenant's accounts and transfers, a contributor's earnings and statement."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cupola.kernel import clock
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
    decode_cursor,
    listed,
    post,
    reply,
    runtime,
)

router = APIRouter(tags=["money"])
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # nobody was paid before


class Amount(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount_minor: int = Field(gt=0, le=10**15, description="Minor units: 1250 is 12.50.")
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")


@router.get("/api/money", response_model=Money)
async def get_money(request: Request, who: Manager) -> Response:
    """The tenant's accounts."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.money(conn, who.tenant))


@router.post("/api/money/fund", response_model=Account, status_code=201)
async def post_fund(request: Request, who: Owner, body: Amount) -> Response:
    """Record money that came in."""
    return await post(request, who, lambda conn: service.fund(conn, who.tenant, body.amount_minor, body.currency))


@router.get("/api/transfers", response_model=Listed[Transfer])
async def get_transfers(
    request: Request, who: Manager, limit: Limit = 50, cursor: Cursor = None, project: UUID | None = None
) -> Response:
    """Every transfer of the tenant, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await store.TRANSFERS.all(conn, tenant=who.tenant, before=before, project=project, limit=limit + 1)
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
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    format: Literal["json", "csv"] = "json",
) -> Response:
    """A statement of earnings: every payment in the span (default: the last 31 days, at most 10,000 rows)."""
    end = max(until or clock.now(), BEGINNING)
    rows = await service.statement(runtime(request).db, person, since or end - timedelta(days=31), end, 10_000)
    if format == "json":
        return reply(rows)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["at", "project", "kind", "amount_minor", "currency"])
    table.writerows([row.at.isoformat(), row.name, row.kind, row.amount_minor, row.currency] for row in rows)
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="cupola-statement.csv"'},
    )


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
