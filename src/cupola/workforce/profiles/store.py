"""SQL of profiles and credentials: the instance's, read by no tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.workforce.eligibility.model import CredentialKind
from cupola.workforce.profiles.model import Profile


@dataclass(frozen=True, slots=True)
class CredentialRow:
    id: UUID
    kind: CredentialKind
    subject: str
    issuer: str
    state: int
    verifier: str
    reason: str
    issued_on: date | None
    expires_on: date | None
    document_name: str | None
    at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedRow(CredentialRow):
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    document: bytes
    document_name: str
    document_media: str


PROFILE = Statement(Profile, "SELECT languages, fields, country FROM profile WHERE person = %(person)s")
PROFILE_SET = Command(
    "INSERT INTO profile (person, languages, fields, country, updated_at) VALUES (%(person)s, %(languages)s, "
    "%(fields)s, %(country)s, %(now)s) ON CONFLICT (person) DO UPDATE SET languages = excluded.languages, "
    "fields = excluded.fields, country = excluded.country, updated_at = excluded.updated_at"
)
_CREDENTIAL = (
    "c.id, c.kind, c.subject, c.issuer, c.state, c.verifier, c.reason, c.issued_on, c.expires_on, c.document_name, "
    "c.at, c.decided_at"
)
MINE = Statement(
    CredentialRow,
    "SELECT " + _CREDENTIAL + " FROM person p JOIN credential c ON c.person = p.id OR c.email = p.email "
    "WHERE p.id = %(person)s ORDER BY c.id DESC LIMIT %(limit)s",
)
COUNT = Scalar(int, "SELECT count(*)::int FROM credential WHERE person = %(person)s AND state = {credential.claimed}")
CLAIM = Command(
    "INSERT INTO credential (id, person, kind, subject, issuer, issued_on, expires_on, at) VALUES (%(id)s, %(person)s, "
    "%(kind)s, %(subject)s, %(issuer)s, %(issued_on)s, %(expires_on)s, %(now)s)"
)
DOCUMENT_SET = Command(
    "UPDATE credential SET document = %(document)s, document_name = %(name)s, document_media = %(media)s, "
    "document_sha256 = %(sha256)s WHERE id = %(id)s AND person = %(person)s AND state = {credential.claimed}"
)
DOCUMENT = Statement(
    DocumentRow,
    "SELECT document, document_name, document_media FROM credential WHERE id = %(id)s AND document IS NOT NULL "
    "AND document_name IS NOT NULL AND document_media IS NOT NULL",
)
WAITING = Statement(
    ClaimedRow,
    "SELECT " + _CREDENTIAL + ", p.name, p.email FROM credential c JOIN person p ON p.id = c.person "
    "WHERE c.state = {credential.claimed} ORDER BY c.id LIMIT %(limit)s",
)
ONE = Statement(
    ClaimedRow,
    "SELECT " + _CREDENTIAL + ", coalesce(p.name, '') AS name, coalesce(p.email, c.email) AS email FROM credential c "
    "LEFT JOIN person p ON p.id = c.person WHERE c.id = %(id)s",
)
DECIDE = Command(
    "UPDATE credential SET state = %(state)s, "
    "verifier = coalesce(nullif(%(verifier)s::text, ''), verifier), "
    "reason = %(reason)s, expires_on = coalesce(%(expires_on)s::date, expires_on), decided_at = %(now)s, "
    "decided_by = %(by)s WHERE id = %(id)s AND state = ANY (%(was)s::smallint[])"
)
# One that is on the list already is brought up to date.
LIST = Command(
    "INSERT INTO credential (id, email, kind, subject, issuer, state, verifier, issued_on, expires_on, at, decided_at, "
    "decided_by) SELECT x.id, x.email, x.kind, x.subject, x.issuer, {credential.verified}, x.verifier, x.issued_on, "
    "x.expires_on, %(now)s, %(now)s, %(by)s FROM unnest(%(ids)s::uuid[], %(emails)s::text[], %(kinds)s::text[], "
    "%(subjects)s::text[], %(issuers)s::text[], %(verifiers)s::text[], %(issued)s::date[], %(expires)s::date[]) "
    "AS x (id, email, kind, subject, issuer, verifier, issued_on, expires_on) "
    "ON CONFLICT (email, kind, subject) WHERE email IS NOT NULL AND state = {credential.verified} DO UPDATE SET "
    "issuer = excluded.issuer, verifier = excluded.verifier, issued_on = excluded.issued_on, "
    "expires_on = excluded.expires_on, decided_at = excluded.decided_at, decided_by = excluded.decided_by"
)
