"""Organisations and who is in them: owners, money, keys, contributors. Work on the instance's database itself, as its
operator does, whether or not a server is up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import msgspec
from cyclopts import Parameter

from cupola.app.commands.common import Data, Json, minor_units, quoted, tell, within
from cupola.identity import flows, model
from cupola.identity import service as identity
from cupola.identity.model import NewContributor, Organisation
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.money import in_words
from cupola.ledger import service as ledger
from cupola.platform.once import Once
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

Test = Annotated[bool, Parameter(negative="", help="The organisation's test world.")]
MAX_LISTED = 10_000


async def _named(run: Runtime, name: str) -> Organisation:
    async with run.db.tx(Role.OPS) as conn:
        found = await identity.organisation(conn, name)
    if found is None:
        raise Problem(
            Kind.NOT_FOUND,
            "not-found",
            f"There is no organisation named {name!r}.",
            remedy="See them all: cupola tenant list",
        )
    return found


async def _own(run: Runtime, organisation: Organisation, owner: str) -> dict[str, Any]:
    link = await flows.make_owner(run, organisation, owner)
    return {
        "email": model.normal_email(owner),
        "link": None if link is None else link.link,
        "expires_at": None if link is None else link.expires_at.isoformat(),
    }


def _welcome(owner: dict[str, Any]) -> str:
    if owner["link"] is None:
        return f"{owner['email']} is its owner, and signs in as before."
    return f"{owner['email']} is its owner. Their one-time link, good for a day once the server is up: {owner['link']}"


def tenant_create(name: str, *, owner: str | None = None, data: Data = None, json_: Json = False) -> None:
    """Create an organisation with its two worlds, live and test, and say who owns it.

    Parameters
    ----------
    name
        The organisation's name.
    owner
        The e-mail address of its owner; somebody new gets a one-time link that sets their password.
    """
    address = None if owner is None else model.normal_email(owner)

    async def work(run: Runtime) -> dict[str, Any]:
        async with run.db.tx(Role.OPS) as conn:
            made = await identity.create_organisation(conn, Once(), name, None)
        shown: dict[str, Any] = msgspec.to_builtins(asdict(made))
        return {**shown, "owner": None if address is None else await _own(run, made, address)}

    made = within(data, work)
    text = f"{made['name']}: live {made['live']['id']}, test {made['test']['id']}"
    called = quoted(made["name"])
    if made["owner"] is None:
        text += "\nIt has no owner yet, and nobody can sign in for it."
        then = [f"cupola tenant owner {called} EMAIL"]
    else:
        text += f"\n{_welcome(made['owner'])}"
        then = [f"cupola fund {called} 100.00 --currency EUR"]
    tell(made, json_, text, *then)


def tenant_owner(name: str, email: str, *, data: Data = None, json_: Json = False) -> None:
    """Make somebody an owner of an organisation, in both of its worlds.

    Parameters
    ----------
    name
        The organisation's name.
    email
        Their e-mail address; who is new, or never had a password, gets a one-time link that sets one.
    """

    async def work(run: Runtime) -> dict[str, Any]:
        found = await _named(run, name)
        return {"organisation": found.name, **await _own(run, found, email)}

    made = within(data, work)
    tell(made, json_, _welcome(made), f"cupola fund {quoted(made['organisation'])} 100.00 --currency EUR")


def tenant_list(*, data: Data = None, json_: Json = False) -> None:
    """List the organisations of this instance."""

    async def work(run: Runtime) -> list[Organisation]:
        found: list[Organisation] = []
        while len(found) < MAX_LISTED:
            async with run.db.tx(Role.OPS) as conn:
                page = await identity.organisations(conn, found[-1].name if found else "", 100)
            found += page
            if len(page) < 100:
                break
        return found

    found = within(data, work)
    rows = [msgspec.to_builtins(asdict(one)) for one in found]
    text = "\n".join(f"{one.name}: live {one.live.id}, test {one.test.id}" for one in found) or "There are none yet."
    then = [] if found else ["cupola tenant create NAME --owner EMAIL"]
    tell({"organisations": rows}, json_, text, *then)


def fund(
    tenant: str,
    amount: str,
    *,
    currency: str = "EUR",
    test: Test = False,
    data: Data = None,
    json_: Json = False,
) -> None:
    """Record money that came in for an organisation: what its work is paid from.

    Parameters
    ----------
    tenant
        The organisation's name.
    amount
        How much, as 250.00; in the test world it is play money.
    currency
        Three letters.
    """
    minor = minor_units(amount, currency)

    async def work(run: Runtime) -> dict[str, Any]:
        found = await _named(run, tenant)
        world = found.test.id if test else found.live.id
        async with run.db.tx(Role.OPS, tenant=world) as conn:
            await ledger.fund(conn, world, minor, currency)
        async with run.db.tx(Role.APP, tenant=world) as conn:
            account = await ledger.balance(conn, world, "budget", None, currency)
        return {"organisation": found.name, "tenant": str(world), **msgspec.to_builtins(asdict(account))}

    made = within(data, work)
    tell(
        made,
        json_,
        f"{made['organisation']}: the budget holds {in_words(made['balance_minor'], currency)} now.",
        f"cupola key create --tenant {quoted(made['organisation'])}{' --test' if test else ''}",
    )


def key_create(
    *,
    tenant: str,
    test: Test = False,
    name: str = "command line",
    data: Data = None,
    json_: Json = False,
) -> None:
    """Create an API key of an organisation and print it, once: only its hash is stored.

    Parameters
    ----------
    tenant
        The organisation's name.
    name
        What the key is for.
    """

    async def work(run: Runtime) -> Any:
        found = await _named(run, tenant)
        world = found.test.id if test else found.live.id
        async with run.db.tx(Role.APP, tenant=world) as conn:
            return await identity.create_key(conn, Once(), world, name, None)

    made = within(data, work)
    tell(
        made,
        json_,
        made.key,
        "export CUPOLA_KEY=… (the line above), with the server up (cupola up)",
        "cupola import FOLDER --dataset NAME",
    )


def contributor_create(
    names: list[str],
    *,
    tenant: list[str] | None = None,
    data: Data = None,
    json_: Json = False,
) -> None:
    """Make contributors who work by a token, and print each one's token, once.

    Parameters
    ----------
    names
        What they are called.
    tenant
        Organisations that know them from the start (anybody's open work is offered to them anyway).
    """

    async def work(run: Runtime) -> list[Any]:
        worlds: list[UUID] = [(await _named(run, one)).live.id for one in tenant or []]
        async with run.db.tx(Role.OPS) as conn:
            return list(
                await identity.create_contributors(
                    conn,
                    Once(),
                    [NewContributor(one) for one in names],
                    tokens=True,
                    tenants=worlds,
                    worker_of=run.worker_of,
                )
            )

    made = within(data, work)
    rows = [{"id": str(one.id), "name": one.name, "token": one.token} for one in made]
    tell(
        {"contributors": rows},
        json_,
        "\n".join(f"{one['name']}\t{one['token']}" for one in rows),
        "cupola work PROJECT --token TOKEN --answers FILE",
    )


def person_link(email: str, *, data: Data = None, json_: Json = False) -> None:
    """A one-time link with which somebody who is known here sets a new password.

    Parameters
    ----------
    email
        Their e-mail address.
    """
    address = model.normal_email(email)

    async def work(run: Runtime) -> Any:
        async with run.db.tx(Role.OPS) as conn:
            return await identity.make_link(conn, Once(), run.settings.public_url, "password", address)

    made = within(data, work)
    tell(msgspec.to_builtins(made), json_, made.link, "they open the link while the server is up (cupola up)")
