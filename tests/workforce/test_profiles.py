"""Profiles and credentials: said by people, verified by somebody named, and never by themselves."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel.errors import Problem
from cupola.workforce.eligibility import service as eligibility
from cupola.workforce.profiles import model, service
from tests.foundry import Foundry
from tests.rules.reviewing import refused

PDF = b"%PDF-1.7 a scan"
LIST = (
    "email,kind,subject,issuer,verifier,issued_on,expires_on\n"
    "Ada@example.org,degree,  Medicine ,Charité,Dr. Who,2010-06-01,\n"
    "bob@example.org,licence,radiology,Board,Dr. Who,2020-01-01,2020-12-31\n"
)


def operator(foundry: Foundry) -> UUID:
    person = foundry.person()
    foundry.sql("UPDATE person SET is_operator = true WHERE id = %s", person)
    return person


def fits(foundry: Foundry, person: UUID, text: str) -> bool:
    tenant = foundry.tenant()
    worker = foundry.runtime.worker_of(tenant, person)
    rows = foundry.as_tenant(tenant, "SELECT person_facts(%s, %s, %s, now())::text", tenant, person, worker)
    reason = eligibility.because(text, rows[0][0])
    assert reason is not None
    return reason.holds


def test_a_claim_opens_nothing_before_somebody_else_has_verified_it(foundry: Foundry) -> None:
    person, checks = foundry.person(), operator(foundry)
    claimed = foundry.call(lambda run: service.claim(run, person, "degree", " Medicine", "Charité", None, None))
    told = foundry.call(lambda run: service.add_document(run, person, claimed.id, "scan.pdf", PDF))
    assert (told.subject, told.document_name, told.state) == ("medicine", "scan.pdf", "claimed")
    assert not fits(foundry, person, 'degree("medicine")')
    assert foundry.call(lambda run: service.document(run, claimed.id)) == ("scan.pdf", "application/pdf", PDF)
    assert PDF not in bytes(foundry.sql("SELECT document FROM credential WHERE id = %s", claimed.id)[0][0])
    assert claimed.id in [one.id for one in foundry.call(service.waiting)]

    def decide(by: UUID, state: Any, verifier: str = "", reason: str = "") -> object:
        return foundry.call(lambda run: service.decide(run, by, claimed.id, state, verifier, reason, None))

    refused("forbidden", lambda: decide(person, "verified", "Me"))
    refused("verifier-missing", lambda: decide(checks, "verified", "  "))
    refused("reason-missing", lambda: decide(checks, "refused"))
    refused("credential-decided", lambda: decide(checks, "revoked", reason="no"))
    decide(checks, "verified", "Dr. Who")
    assert fits(foundry, person, 'degree("medicine") and not licence()')
    refused("credential-decided", lambda: decide(checks, "refused", reason="no"))
    refused("not-found", lambda: foundry.call(lambda run: service.add_document(run, person, claimed.id, "x", PDF)))
    decide(checks, "revoked", reason="It was somebody else's.")
    assert not fits(foundry, person, 'degree("medicine")')
    (mine,) = foundry.call(lambda run: service.credentials(run, person))
    assert (mine.state, mine.reason) == ("revoked", "It was somebody else's.")


def test_a_list_holds_for_whoever_comes_with_these_addresses_until_it_runs_out(foundry: Foundry) -> None:
    checks, ada, bob = operator(foundry), foundry.person(), foundry.person()
    for _ in range(2):
        assert foundry.call(lambda run: service.take_list(run, checks, LIST.encode())) == 2
    assert foundry.sql("SELECT count(*) FROM credential WHERE email IS NOT NULL")[0][0] == 2
    assert not fits(foundry, ada, 'degree("medicine")')
    foundry.sql("UPDATE person SET email = 'ada@example.org' WHERE id = %s", ada)
    foundry.sql("UPDATE person SET email = 'bob@example.org' WHERE id = %s", bob)
    assert fits(foundry, ada, 'degree("medicine")')
    assert not fits(foundry, bob, 'licence("radiology")'), "it has run out"
    (mine,) = foundry.call(lambda run: service.credentials(run, ada))
    assert (mine.verifier, mine.issued_on) == ("Dr. Who", date(2010, 6, 1))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (b"\xff\xfe", "credentials-encoding", ""),
        (b"", "credentials-header", "line 1"),
        (b"email,kind\na@b.co,degree\n", "credentials-header", "line 1"),
        (b"email,kind,subject,verifier\nnobody,degree,x,y\n", "credentials-email", "line 2, email"),
        (b"email,kind,subject,verifier\na@b.co,diploma,x,y\n", "credentials-kind", "line 2, kind"),
        (b"email,kind,subject,verifier\na@b.co,degree,,y\n", "credentials-empty", "line 2, subject"),
        (
            b"email,kind,subject,verifier,expires_on\na@b.co,degree,x,y,31.12.2026\n",
            "credentials-date",
            "line 2, expires_on",
        ),
        (
            b"email,kind,subject,verifier,issued_on,expires_on\na@b.co,degree,x,y,2026-01-02,2026-01-01\n",
            "credential-dates",
            "line 2, expires_on",
        ),
    ],
)
def test_a_list_with_a_mistake_names_the_line_and_takes_nothing(text: bytes, code: str, place: str) -> None:
    with pytest.raises(Problem) as caught:
        model.read_list(text)
    assert (caught.value.code, caught.value.place) == (code, place)


def test_a_profile_is_codes_and_words(foundry: Foundry) -> None:
    said = model.profile(["zh", "en-GB", "zh"], ["  Radiology ", "law"], "de")
    assert (said.languages, said.fields, said.country) == (["zh", "en-GB"], ["radiology", "law"], "DE")
    person = foundry.person()
    assert foundry.call(lambda run: service.profile(run, person)).languages == []
    foundry.call(lambda run: service.set_profile(run, person, said))
    assert fits(foundry, person, 'language = "en" and field = "law" and region in EU and country != "FR"')
    refused("profile-language", lambda: model.profile(["chinese!"], [], None))
    refused("profile-country", lambda: model.profile([], [], "Germany"))
    refused("profile-field", lambda: model.profile([], ["  "], None))
    refused("document-form", lambda: model.media_of(b"MZ"))
