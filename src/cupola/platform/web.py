"""What the routes of every domain share: who asks, how an answer is written, idempotency, cursors."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec
import psycopg
from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from cupola.kernel import clock, dice, limits
from cupola.kernel.errors import Kind, Problem, conflict, forbidden, invalid, not_found
from cupola.kernel.words import in_one_line
from cupola.platform import store
from cupola.platform.pg.tx import Conn, Role, met_another, reading
from cupola.platform.runtime import Runtime

T = TypeVar("T")
TenantRole = Literal["reviewer", "manager", "owner"]
_RANK: dict[str, int] = {"reviewer": 1, "manager": 2, "owner": 3}
JSON = "application/json"
MEETINGS = 8  # times that a request begins anew because another one changed the same rows


def _name(text: str) -> str:
    name = text.strip()
    if not in_one_line(name):
        raise PydanticCustomError("name", "A name stands in one line, and one of its characters can be seen.")
    return name


# What people call a thing of theirs; outer blanks are taken off.
Name = Annotated[str, Field(min_length=1, max_length=limits.MAX_NAME_CHARS), AfterValidator(_name)]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is what idempotency keys are kept under."""

    name: str
    person: UUID | None = None
    tenant: UUID | None = None
    role: TenantRole | None = None
    world: str = "live"
    operator: bool = False
    contributor: bool = False
    key: UUID | None = None

    @property
    def reader(self) -> UUID | None:
        """By whom the database tells what to keep from them: the person, or the key."""
        return self.person or self.key


@dataclass(frozen=True, slots=True)
class Member:
    """A principal who acts for one tenant."""

    name: str
    tenant: UUID
    role: TenantRole
    person: UUID | None
    world: str
    key: UUID | None = None

    @property
    def reader(self) -> UUID | None:
        return self.person or self.key


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of a list; `next` is the cursor of the following page, or None at the end."""

    items: list[T]
    next: str | None


def runtime(request: Request) -> Runtime:
    return request.app.state.runtime  # type: ignore[no-any-return]  # Starlette's state is untyped


async def principal(request: Request) -> Principal:
    """Who sends this request; cached on it. Raises Problem(UNAUTHENTICATED)."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        known = await request.app.state.authenticate(request)
        request.state.principal = known
    assert known is not None
    reading.set(known.reader if request.method in ("GET", "HEAD") else None)
    return known


def member(at_least: TenantRole) -> Callable[..., Awaitable[Member]]:
    """A dependency: somebody who acts for a tenant with at least this role."""

    async def dependency(request: Request) -> Member:
        who = await principal(request)
        if who.operator and who.tenant is not None and who.role is None:
            raise forbidden(
                "The operator runs this instance and is no member of this organisation: its data is its own.",
                remedy="Ask one of its owners for an invitation.",
            )
        if who.tenant is None or who.role is None:
            raise forbidden(
                "This address serves a tenant's members and keys.",
                remedy="Use an API key, or sign in and name the tenant in the header Cupola-Tenant.",
            )
        if _RANK[who.role] < _RANK[at_least]:
            raise forbidden(f"This needs the role {at_least}; yours is {who.role}.", remedy="Ask an owner.")
        return Member(who.name, who.tenant, who.role, who.person, who.world, who.key)

    return dependency


async def operator(request: Request) -> Principal:
    """A dependency: a person who operates this instance."""
    who = await principal(request)
    if not who.operator or who.person is None:
        raise forbidden("This address serves the operator of this instance.", remedy="Sign in as the operator.")
    return who


async def contributor(request: Request) -> UUID:
    """A dependency: the person who works."""
    who = await principal(request)
    if not who.contributor or who.person is None:
        raise forbidden(
            "This address serves contributors.", remedy="Sign in as a contributor, or use a contributor's token."
        )
    return who.person


Reviewer = Annotated[Member, Depends(member("reviewer"))]
Manager = Annotated[Member, Depends(member("manager"))]
Owner = Annotated[Member, Depends(member("owner"))]
Operator = Annotated[Principal, Depends(operator)]
Contributor = Annotated[UUID, Depends(contributor)]
Limit = Annotated[int, Query(ge=1, le=limits.MAX_LIST, description="Rows of one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]


def reply(value: Any, status: int = 200) -> Response:
    """A JSON answer, written once by msgspec: dataclasses, Structs, UUIDs and times as they are."""
    return Response(msgspec.json.encode(value), status, media_type=JSON)


def sends(*media: str) -> dict[int | str, dict[str, Any]]:
    """What a route that answers with a file says of it in the document; with `response_class=Response`."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file.", "content": dict.fromkeys(media, binary)}}


def nothing(status: int = 204) -> Response:
    return Response(status_code=status)


def attachment(name: str) -> str:
    """The value of Content-Disposition for a file that is saved under this name, in whatever script it is written.

    A header holds Latin letters only: the name goes encoded beside a plain one for clients that read no other.
    Source: RFC 6266, RFC 8187.
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .-_") else "_" for c in name)
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def table_cell(text: str) -> str:
    """A person's words as a cell of a table that a spreadsheet opens: never a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def decode_cursor(text: str | None, types: type[T]) -> T | None:
    """The key that a cursor stands for; raises Problem for one that we did not make."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=types)
    except (ValueError, msgspec.DecodeError) as error:
        raise invalid(
            "cursor-unknown", "This cursor is not one of ours.", place="?cursor", remedy="Begin without a cursor."
        ) from error


def encode_cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def listed(rows: list[T], limit: int, key: Callable[[T], Any], shown: Callable[[T], Any] = lambda row: row) -> Response:
    """A page of rows that were asked for as limit + 1: one more than shown tells whether there is a next page.

    shown: what of a row the reader is told.
    """
    more = len(rows) > limit
    rows = rows[:limit]
    return reply(Listed([shown(row) for row in rows], encode_cursor(key(rows[-1])) if more else None))


async def read_body(request: Request, limit: int = limits.MAX_BODY_BYTES) -> bytes:
    """The whole body, refused as soon as it is known to be too large."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> Problem:
    return Problem(
        Kind.TOO_LARGE,
        "body-too-large",
        f"The body is larger than {limit // 1024**2} MB.",
        remedy="Send it in parts, or upload it as a file.",
    )


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise invalid(
            "idempotency-key-malformed",
            "An Idempotency-Key is 1 to 200 printable characters.",
            place="header Idempotency-Key",
            remedy="Send a UUID.",
        )
    return key


async def post(request: Request, who: Member, work: Callable[[Conn], Awaitable[Any]], *, status: int = 201) -> Response:
    """Run `work` in one transaction of the tenant and answer with what it returns.

    With an Idempotency-Key the answer is kept in the same transaction: a retry gets the first answer, the same key
    with another request is refused.
    """
    run = runtime(request)
    key = idempotency_key(request)
    # read before the transaction: a slow client must not hold one open
    content = await request.body() if key is not None else b""

    async def once() -> Response:
        async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
            if key is None:
                return Response(msgspec.json.encode(await work(conn)), status, media_type=JSON)
            asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + content
            told, body = await kept(conn, who.tenant, who.name, key, asked, lambda: work(conn), status)
            return Response(body, told, media_type=JSON)

    return await again_when_met(once)


async def again_when_met(work: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction; when it met another one on the same rows, run it again on what that one left.

    What was rolled back has done nothing, so it may be repeated; after MEETINGS of them the error stands.
    """
    for meeting in range(MEETINGS):
        try:
            return await work()
        except (Problem, psycopg.Error) as error:
            if not met_another(error):
                raise
            await asyncio.sleep(dice.unit() * 0.02 * (meeting + 1))
    return await work()


async def kept(
    conn: Conn, tenant: UUID, who: str, key: str, asked: bytes, work: Callable[[], Awaitable[Any]], status: int
) -> tuple[int, bytes]:
    """The answer to a request with an Idempotency-Key: (status, JSON), kept in the transaction of its effect.

    asked: all that tells this request from another. Raises Problem (CONFLICT) "idempotency-key-reused".
    """
    named: dict[str, Any] = {"tenant": tenant, "principal": who, "key": key}
    digest = hashlib.sha256(asked).digest()
    if not await store.KEY_TAKE.run(conn, **named, request_hash=digest, at=clock.now()):
        before = await store.KEY_KEPT.maybe(conn, **named)
        if before is None or before.request_hash != digest:
            raise conflict(
                "idempotency-key-reused",
                "This Idempotency-Key was used for another request.",
                remedy="Use a new key for a new request; the same key only repeats the same one.",
            )
        return before.status or status, before.body or b""
    body = msgspec.json.encode(await work())
    await store.KEY_ANSWER.run(conn, **named, status=status, body=body)
    return status, body


def found(value: T | None, what: str) -> T:
    """The value, or the one answer for what is absent and for what is somebody else's."""
    if value is None:
        raise not_found(what)
    return value
