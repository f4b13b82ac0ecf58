"""Who a project is for, exams that show it, and credentials that were verified elsewhere, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cupola.app import moving
from cupola.app.commands.common import LOCAL, ApiKey, Data, Json, Url, minor_units, quoted, tell, within
from cupola.client import Client
from cupola.identity import service as identity
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.kernel.money import in_words
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.workforce.profiles import service as profiles


def project_ask(
    project: str, expression: str | None = None, *, key: ApiKey, url: Url = LOCAL, json_: Json = False
) -> None:
    """Say whom a project is for: language = "zh" and exam("radiology") >= 0.9. Without an expression: everybody.

    Parameters
    ----------
    project
        The project's name or id.
    expression
        Asks for language, field, country, region, degree("…"), licence("…"), certificate("…"), exam("…") >= 0.8,
        joined by and, or, not.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    made = client.put(f"/api/projects/{found['id']}/eligibility", {"expression": expression})
    fitting = f"fewer than {made['fewest']}" if made["fitting"] is None else made["fitting"]
    tell(
        made,
        json_,
        f"{found['name']} is for {made['expression'] or 'everybody'}: {fitting} of {made['people']} contributors fit.",
        f"cupola project show {quoted(found['name'])}",
    )


def exam_make(
    project: str,
    skill: str,
    *,
    key: ApiKey,
    budget: str | None = None,
    items: int = 20,
    at_least: float = 0.8,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Make an exam of a project's gold, give it money and open it. Each answer is paid, right or wrong.

    Parameters
    ----------
    project
        The project's name or id; its gold stays gold.
    skill
        What the exam shows; projects ask for it by this name.
    budget
        Money for it ("20.00"); left out, it stays a draft.
    items
        Items of one attempt.
    at_least
        What the lower end of the interval of right answers must reach.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    made = client.post(f"/api/projects/{found['id']}/exam", {"skill": skill, "items": items, "at_least": at_least})
    if budget is not None:
        client.post(f"/api/projects/{made['project']}/allot", {"amount_minor": minor_units(budget, made["currency"])})
        made = client.post(f"/api/exams/{made['project']}/open")
    ask = f'exam("{made["skill"]}") >= {at_least:g}'
    tell(
        made,
        json_,
        f"{made['name']} is {made['state']}: {made['needed']} of {items} right pass, "
        f"{in_words(made['price_minor'], made['currency'])} an answer, {made['pool']} items to draw from.",
        f"cupola project ask {quoted(found['name'])} {quoted(ask)}",
    )


def exam_list(*, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """List your exams: what passes, who passed, what money is left."""
    found: list[dict[str, Any]] = Client(url, key).get("/api/exams")
    lines = [
        f"{one['skill']}: {one['state']}, {one['needed']} of {one['rule']['items']} pass, {one['passed']} passed and "
        f"{one['failed']} did not, {in_words(one['budget_minor'], one['currency'])} left"
        for one in found
    ]
    tell(
        {"exams": found},
        json_,
        "\n".join(lines) or "There are no exams.",
        *([] if found else ["cupola exam make PROJECT SKILL --budget 20"]),
    )


def credentials_take(
    file: Path,
    *,
    operator: Annotated[str, Parameter(help="The e-mail address of the operator who takes the list.")],
    data: Data = None,
    json_: Json = False,
) -> None:
    """Take a CSV of credentials that were verified elsewhere; they hold for whoever comes with these addresses.

    Parameters
    ----------
    file
        Columns email, kind (degree, licence, certificate, language), subject, issuer, verifier, issued_on, expires_on.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise invalid("file-unreadable", f"{file} cannot be read: {error.strerror}.", place=str(file)) from error

    async def work(run: Runtime) -> int:
        async with run.db.tx(Role.OPS) as conn:
            by = await identity.operator_of(conn, operator)
        if by is None:
            raise Problem(
                Kind.NOT_FOUND,
                "not-found",
                f"{operator!r} operates nothing here.",
                remedy="Name an operator's address.",
            )
        return await profiles.take_list(run, by, content)

    lines = within(data, work)
    tell({"lines": lines}, json_, f"{lines} credentials taken.", "cupola project ask PROJECT 'degree(\"medicine\")'")
