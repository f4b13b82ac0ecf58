"""People, tenants, members, keys: what they look like from outside, and the rules that need no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from cupola.kernel import limits
from cupola.kernel.errors import invalid
from cupola.kernel.words import in_one_line

SESSION = timedelta(days=14)  # slides: each day of use starts it anew
SESSION_SLIDES_AFTER = timedelta(days=1)  # so that not every request writes
LINK = timedelta(days=7)  # an invitation
FIRST_LINK = timedelta(days=1)  # the first administrator's
PASSWORD_LINK = timedelta(days=1)
LINK_KEPT = timedelta(days=30)  # after it ran out
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 1_000  # hashing a password of megabytes would be an attack
MAX_EMAIL_CHARS = 254
MAX_PEOPLE = 10_000  # made by one request
MAX_PASSWORDS = 200  # of these with a password: each costs about 0.05 s of CPU by intent

Locale = Literal["en", "zh"]
World = Literal["live", "test"]
Role = Literal["owner", "manager", "reviewer"]
TenantRole = Literal["owner", "manager", "reviewer", "labeler"]  # what a tenant's invitation makes somebody
LinkPurpose = Literal["contributor", "operator", "password"]
Invited = Literal["owner", "manager", "reviewer", "contributor", "operator"]
RANK: dict[str, int] = {"reviewer": 1, "manager": 2, "owner": 3}

_email = re.compile(r"[^\s@<>\"(),;:\\]+@[^\s@<>\"(),;:\\]+\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list by time ended."""

    at: datetime
    id: UUID


BEGINNING = Place(datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    name: str
    email: str | None
    locale: Locale


@dataclass(frozen=True, slots=True)
class TenantOfPerson:
    """A tenant as one of its members sees it; the name is the organisation's."""

    id: UUID
    name: str
    world: World
    role: Role


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. `csrf` goes into the header X-CSRF-Token of every unsafe request."""

    person: Person
    csrf: str
    operator: bool
    contributor: bool
    tenants: list[TenantOfPerson]


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh session: the cookie's secret and what its holder is told."""

    token: str
    session: Session


@dataclass(frozen=True, slots=True)
class TenantRef:
    id: UUID


@dataclass(frozen=True, slots=True)
class Organisation:
    """A customer: two tenants, held apart by the same wall that holds customers apart."""

    id: UUID
    name: str
    live: TenantRef
    test: TenantRef
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewContributor:
    """One person to be made a contributor; `password` is already a hash, or None for a person without sign-in."""

    name: str
    email: str | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class MadeContributor:
    """`token`: shown this once. `workers`: by tenant id, the pseudonym under which that tenant knows the person."""

    id: UUID
    name: str
    token: str | None
    workers: dict[UUID, UUID]


@dataclass(frozen=True, slots=True)
class MadeContributors:
    items: list[MadeContributor]


@dataclass(frozen=True, slots=True)
class Labeler:
    """Somebody who works for a tenant by its own invitation. Told to that tenant alone."""

    person: UUID
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that nobody has accepted yet. confirmed: an owner stands behind it, so it can be accepted."""

    email: str
    role: TenantRole
    confirmed: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ContributorRow:
    id: UUID
    name: str
    email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is listed. `prefix`: the key's world and its last four characters, to tell keys apart."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key; `key` is shown this once and kept only as its SHA-256."""

    id: UUID
    name: str
    prefix: str
    key: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    person: UUID
    name: str
    email: str | None
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link, shown this once."""

    link: str
    expires_at: datetime


def normal_email(text: str, place: str = "/email") -> str:
    """The form in which an address is compared: no outer blanks, lower case. Raises Problem (INVALID)."""
    email = text.strip().lower()
    if len(email) > MAX_EMAIL_CHARS or not _email.match(email):
        raise invalid(
            "email-invalid",
            f"{text[:100]!r} is no e-mail address.",
            place=place,
            remedy="Write it like name@example.org.",
        )
    return email


def normal_name(text: str, place: str = "/name") -> str:
    """A name without outer blanks. Raises Problem (INVALID) for one too long, that nobody sees or no line holds."""
    name = text.strip()
    if not 1 <= len(name) <= limits.MAX_NAME_CHARS or not in_one_line(name):
        raise invalid(
            "name-invalid",
            f"A name has 1 to {limits.MAX_NAME_CHARS} characters in one line, one of them visible.",
            place=place,
            remedy="Give a shorter or a plainer name.",
        )
    return name


def check_password(password: str, email: str | None, place: str = "/password") -> None:
    """The rules of a password: length, and that it is not the address. Raises Problem (INVALID)."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise invalid(
            "password-length",
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters; this one has {len(password)}.",
            place=place,
            remedy="A few words in a row are long enough and easy to keep in mind.",
        )
    if email is not None and password.strip().lower() == email:
        raise invalid(
            "password-is-email", "The password is the e-mail address.", place=place, remedy="Choose another one."
        )
