"""People's work from the command line: contributors, experts and auditors, through the HTTP API.

Who answers may be a person at a terminal, or a file of answers that a program or a person wrote before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cupola.app import answers, moving
from cupola.app.commands.common import LOCAL, ApiKey, Json, Url, out, quoted, tell
from cupola.client import ApiError, Client
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.kernel.money import in_words

Token = Annotated[str, Parameter(name="--token", env_var="CUPOLA_TOKEN", help="A contributor's token.")]
Answerer = Callable[[dict[str, Any], dict[str, Any]], Any]
AGAIN_S = 0.3  # settling asks for more judgements a moment after a submit
TRIES = 5


def _answerer(file: Path | None) -> Answerer:
    """(item, ontology) -> what is said of it, or None to leave it."""
    if file is not None:
        known = answers.read(file)
        return lambda item, ontology: known.get(item["ref"])
    if not sys.stdin.isatty():
        raise invalid(
            "answers-missing",
            "There is nobody at a terminal to be asked.",
            place="--answers",
            remedy="Give --answers FILE: a CSV with the columns ref and label.",
        )
    return _ask


def _ask(item: dict[str, Any], ontology: dict[str, Any]) -> Any:
    out.rule(item["ref"])
    out.print(item.get("text") or item.get("url") or "", soft_wrap=True, highlight=False, markup=False)
    if ontology["kind"] == "choice":
        names = [one["name"] for one in ontology["classes"]]
        for number, one in enumerate(ontology["classes"], 1):
            title = (one.get("title") or {}).get("en") or one["name"]
            out.print(f"  {number} {title}", highlight=False, markup=False)
        said = input("Number (nothing leaves it): ").replace(",", " ").split()
        chosen = [names[int(one) - 1] for one in said if one.isdigit() and 0 < int(one) <= len(names)]
        return (chosen if ontology.get("multiple") else chosen[0]) if chosen else None
    if ontology["kind"] == "text":
        return input("Text (nothing leaves it): ") or None
    if ontology["kind"] == "form":
        return _fill_in(ontology["attributes"])
    out.print("Shapes are drawn in the browser; this one is given back.")
    return None


def _fill_in(questions: list[dict[str, Any]]) -> Any:
    """A form, those questions of it that are asked after the answers so far; None when nothing was said."""
    given: dict[str, Any] = {}
    for one in questions:
        when = one.get("when")
        led = given.get(when["attribute"]) if when else None
        if when and not (when["equals"] in led if isinstance(led, list) else led == when["equals"]):
            continue
        title, options = (one.get("title") or {}).get("en") or one["name"], one.get("options", [])
        out.print(title, *(f"  {number} {option}" for number, option in enumerate(options, 1)), sep="\n", markup=False)
        said = input({"bool": "yes or no: ", "text": "Text: ", "number": "A number: "}.get(one["type"], "Number: "))
        value = answers.value(said.strip(), one["type"], options)
        if value is not None:
            given[one["name"]] = value
    return {"kind": "form", "answers": given} if given else None


def work(
    project: str | None = None,
    *,
    token: Token,
    answers_: Annotated[Path | None, Parameter(name="--answers", help="CSV (ref,label) or JSONL of answers.")] = None,
    seconds: float = 0.0,
    pages: int | None = None,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Work as a contributor: claim pages, judge each task, submit, be paid. What you leave is given back.

    Parameters
    ----------
    project
        The name or id of a project on offer (default: all that is offered).
    seconds
        What to note as the time spent on each task (default: what it took).
    pages
        Stop after so many pages.
    """
    answer = _answerer(answers_)
    client = Client(url, token)
    offers = client.get("/api/work/offers")
    wanted = [one for one in offers if project is None or project in (one["project"], one["title"])]
    if project is not None and not wanted:
        raise Problem(
            Kind.NOT_FOUND,
            "not-offered",
            f"Nothing named {project!r} is offered to you now.",
            remedy=f"On offer: {', '.join(one['title'] for one in offers) or 'nothing'}.",
        )
    done = left = 0
    paid: dict[str, int] = {}
    ended: dict[str, str] = {}
    for offer in wanted:
        turns = 0
        while pages is None or turns < pages:
            page = _claim(client, offer["project"])
            if page is None or isinstance(page, Problem):
                if page is not None:
                    ended[offer["title"]] = page.detail
                break
            turns += 1
            judged, leaving = _page(client, page, answer, seconds, paid)
            done, left = done + judged, left + leaving
            if not judged:
                break
    words = ", ".join(in_words(amount, currency) for currency, amount in paid.items()) or "nothing"
    name = quoted(wanted[0]["title"]) if len(wanted) == 1 else "PROJECT"
    tell(
        {"judgements": done, "left": left, "paid_minor": paid, "ended": ended},
        json_,
        "\n".join(
            [
                f"{done} judgements, {words} earned{f', {left} given back' if left else ''}.",
                *(f"{title}: {why}" for title, why in ended.items()),
            ]
        ),
        f"cupola project show {name}   (with a key of its organisation)",
    )


def _claim(client: Client, project: str) -> dict[str, Any] | Problem | None:
    """A page, or why there is none; asked for a few times: what others submitted may bring a task in a moment."""
    for attempt in range(TRIES):
        try:
            page: dict[str, Any] | None = client.post(f"/api/work/projects/{project}/claim")
        except ApiError as refusal:
            if refusal.code in ("project-not-live", "budget-exhausted", "training-first"):
                return refusal
            raise
        if page is not None:
            return page
        if attempt < TRIES - 1:
            clock.sleep(AGAIN_S)
    return None


def _page(
    client: Client, page: dict[str, Any], answer: Answerer, seconds: float, paid: dict[str, int]
) -> tuple[int, int]:
    judgements = []
    for task in page["tasks"]:
        began = clock.monotonic_s()
        said = answer(task["item"], page["ontology"])
        if said is not None:
            spent = seconds or round(clock.monotonic_s() - began, 3)
            made = answers.label(said, page["ontology"]["kind"])
            judgements.append({"task": task["task"], "label": made, "seconds": spent})
    where = f"/api/work/assignments/{page['id']}"
    if judgements:
        answered = client.post(f"{where}/submit", {"fence": page["fence"], "judgements": judgements})
        paid[answered["currency"]] = paid.get(answered["currency"], 0) + answered["paid_minor"]
    left = len(page["tasks"]) - len(judgements)
    if left:
        client.post(f"{where}/return", {"fence": page["fence"], "reason": "other"})
    return len(judgements), left


def adjudicate(
    project: str,
    *,
    key: ApiKey,
    answers_: Annotated[Path | None, Parameter(name="--answers", help="CSV (ref,label) or JSONL of answers.")] = None,
    note: str = "",
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Decide, as an expert of the organisation, what the crowd could not settle.

    Parameters
    ----------
    project
        The project's name or id.
    note
        Why, kept with each verdict.
    """
    answer = _answerer(answers_)
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    done = left = 0
    for row in list(client.every("/api/adjudication", project=found["id"])):
        detail = client.get(f"/api/adjudication/{row['task']}")
        said = answer(detail["item"], detail["ontology"])
        if said is None:
            left += 1
            continue
        made = answers.label(said, found["kind"])
        client.post(f"/api/adjudication/{row['task']}", {"label": made, "note": note or "decided by an expert"})
        done += 1
    tell(
        {"settled": done, "left": left},
        json_,
        f"{done} settled{f', {left} left' if left else ''}.",
        f"cupola project show {quoted(found['name'])}",
    )


def audit(
    release: str,
    *,
    key: ApiKey,
    answers_: Annotated[Path | None, Parameter(name="--answers", help="CSV (ref,label) or JSONL of answers.")] = None,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Judge the drawn items of a release, blind: what an expert who knows says of each.

    Parameters
    ----------
    release
        The release's name, PROJECT/NAME or id.
    """
    client = Client(url, key)
    release = moving.release_id(client, release)
    known = None if answers_ is None else answers.read(answers_)
    ask = _answerer(None) if known is None else None
    done = 0
    while True:
        batch = client.get(f"/api/audits/{release}/items", limit=100)
        if not batch["items"]:
            break
        for one in batch["items"]:
            ref = one["item"]["ref"]
            if known is not None and ref not in known:
                # left out is not undecidable: that would stand in the certificate
                raise invalid(
                    "answer-missing",
                    f"{answers_} holds no answer for {ref!r}, which was drawn; {done} were judged before it.",
                    place="--answers",
                    remedy='Add it and run this again; {"ref": …, "label": null} says that nobody could decide it.',
                )
            said = known[ref] if known is not None else ask(one["item"], one["ontology"]) if ask else None
            verdict = {"undecidable": True} if said is None else {"label": answers.label(said, one["kind"])}
            client.post(f"/api/audits/{release}/items/{one['audit_item']}", {**verdict, "seconds": 1.0})
            done += 1
    tell(
        {"release": release, "judged": done},
        json_,
        f"{done} drawn items judged.",
        f"cupola certify {release}",
    )


def certify(release: str, *, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """Compute, sign and keep the certificate of a finished audit.

    Parameters
    ----------
    release
        The release's name, PROJECT/NAME or id.
    """
    client = Client(url, key)
    release = moving.release_id(client, release)
    made = client.post(f"/api/releases/{release}/certify")
    said = made["state"] if made.get("certificate") is None else made["certificate"].get("statement", made["state"])
    tell(
        made,
        json_,
        f"Release {made['name']}: {said}",
        f"cupola export {release} --format jsonl --to FOLDER",
        "cupola verify FOLDER",
    )
