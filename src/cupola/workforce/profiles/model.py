"""What people say of themselves, and credentials: claimed, and verified by somebody named, until they run out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from cupola.kernel.errors import invalid
from cupola.kernel.states import CredentialWord
from cupola.workforce.eligibility.model import CredentialKind, key

KINDS: Final[tuple[CredentialKind, ...]] = ("degree", "licence", "certificate", "language")
MAX_DOCUMENT_BYTES = 5 * 1024**2
MAX_CREDENTIALS = 50
MAX_LISTED = 10_000
MEDIA: Final = {b"%PDF-": "application/pdf", b"\x89PNG\r\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
COLUMNS: Final = ("email", "kind", "subject", "issuer", "verifier", "issued_on", "expires_on")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """languages: BCP 47, e.g. zh, en-GB. fields: what somebody knows about, in their words. country: ISO 3166-1."""

    languages: list[str]
    fields: list[str]
    country: str | None


@dataclass(frozen=True, slots=True)
class Credential:
    """verifier: who looked at it, by name; "" before anybody did. reason: why it was refused or revoked."""

    id: UUID
    kind: CredentialKind
    subject: str
    issuer: str
    state: CredentialWord
    verifier: str
    reason: str
    issued_on: date | None
    expires_on: date | None
    document_name: str | None
    at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed(Credential):
    """A credential as those see it who decide: with whom it is of."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list of credentials that somebody has verified elsewhere."""

    email: str
    kind: CredentialKind
    subject: str
    issuer: str
    verifier: str
    issued_on: date | None
    expires_on: date | None


def profile(languages: Sequence[str], fields: Sequence[str], country: str | None) -> Profile:
    """Raises Problem(INVALID) with the place of what is no language, no field or no country."""
    for n, one in enumerate(languages):
        if not _LANGUAGE.fullmatch(one.strip()):
            raise invalid(
                "profile-language",
                f"{one[:40]!r} is no code of a language.",
                place=f"/languages/{n}",
                remedy="Use codes like zh, en, pt-BR (BCP 47).",
            )
    for n, one in enumerate(fields):
        if not 1 <= len(key(one)) <= 100:
            raise invalid("profile-field", "A field has 1 to 100 characters.", place=f"/fields/{n}")
    if country is not None and not re.fullmatch("[A-Za-z]{2}", country.strip()):
        raise invalid(
            "profile-country", f"{country[:40]!r} is no code of a country.", place="/country",
            remedy="Use two letters: DE, KE, VN.",
        )  # fmt: skip
    return Profile(
        list(dict.fromkeys(one.strip() for one in languages)),
        list(dict.fromkeys(key(one) for one in fields)),
        None if country is None else country.strip().upper(),
    )


def media_of(content: bytes) -> str:
    """The type of a document, told by how it begins. Raises Problem(INVALID) for what is no PDF, PNG or JPEG."""
    for begins, media in MEDIA.items():
        if content.startswith(begins):
            return media
    raise invalid(
        "document-form", "The document is no PDF, PNG or JPEG.", remedy="Send a scan or a photo in one of these forms."
    )


def dates(issued_on: date | None, expires_on: date | None, place: str) -> None:
    if issued_on is not None and expires_on is not None and expires_on <= issued_on:
        raise invalid("credential-dates", "It runs out before it was issued.", place=place, remedy="Look at the dates.")


def read_list(content: bytes) -> list[Listed]:
    """Read a CSV of verified credentials: email, kind, subject, issuer, verifier, issued_on, expires_on.

    Raises Problem(INVALID) naming the line and the column; nothing of a list with a mistake is taken.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("credentials-encoding", "The list is no UTF-8.", remedy="Save it as CSV in UTF-8.") from error
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise invalid("credentials-csv", f"The list is no CSV: {error}.", remedy="Save it as CSV in UTF-8.") from error
    header = [] if not rows else [str(name) for name in rows[0]]
    missing = [name for name in ("email", "kind", "subject", "verifier") if name not in header]
    if missing or not rows:
        raise invalid(
            "credentials-header",
            f"The list lacks {'lines' if not rows else ', '.join(missing)}.",
            place="line 1",
            remedy=f"Its first line names the columns: {','.join(COLUMNS)}.",
        )
    if len(rows) > MAX_LISTED:
        raise invalid("credentials-many", f"The list has more than {MAX_LISTED:,} lines.", remedy="Send it in parts.")
    return [_line(row, f"line {n}") for n, row in enumerate(rows, 2)]


def _line(row: dict[str, str], place: str) -> Listed:
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not _EMAIL.fullmatch(said["email"]) or len(said["email"]) > 200:
        raise invalid("credentials-email", f"{said['email'][:60]!r} is no address.", place=f"{place}, email")
    kind = next((one for one in KINDS if one == said["kind"].casefold()), None)
    if kind is None:
        raise invalid(
            "credentials-kind", f"{said['kind'][:60]!r} is no kind of credential.", place=f"{place}, kind",
            remedy=f"There are {', '.join(KINDS)}.",
        )  # fmt: skip
    for name in ("subject", "verifier"):
        if not 1 <= len(said[name]) <= 100:
            raise invalid(
                "credentials-empty", f"The {name} is empty or longer than 100 characters.", place=f"{place}, {name}"
            )
    issued, expires = (_date(said[name], f"{place}, {name}") for name in ("issued_on", "expires_on"))
    dates(issued, expires, f"{place}, expires_on")
    return Listed(
        said["email"].casefold(), kind, key(said["subject"]), said["issuer"][:200], said["verifier"], issued, expires
    )


def _date(text: str, place: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise invalid(
            "credentials-date", f"{text[:40]!r} is no date.", place=place, remedy="Write 2026-12-31."
        ) from error
