"""SQL of people, sessions, tenants, members and keys. Role OPS unless a tenant stands in the condition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.identity.model import (
    ContributorRow,
    Key,
    Labeler,
    Locale,
    MemberRow,
    OpenInvitation,
    TenantOfPerson,
    TenantRole,
    World,
)
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: UUID
    name: str
    email: str | None
    locale: Locale
    password_hash: str | None
    is_operator: bool
    is_contributor: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    person: UUID
    csrf: str
    expires_at: datetime
    name: str
    email: str | None
    locale: Locale
    is_operator: bool
    is_contributor: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    person: UUID
    is_contributor: bool


@dataclass(frozen=True, slots=True)
class LinkRow:
    purpose: str
    email: str | None


@dataclass(frozen=True, slots=True)
class InvitationRow:
    role: TenantRole
    email: str | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class KeyFound:
    id: UUID
    world: World


@dataclass(frozen=True, slots=True)
class OwnerRow:
    person: UUID


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    id: UUID
    name: str
    live: UUID
    test: UUID
    created_at: datetime


# ---------------------------------------------------------------- people
PERSON_BY_EMAIL = Statement(
    PersonRow,
    "SELECT id, name, email, locale, password_hash, is_operator, is_contributor FROM person "
    "WHERE email = %(email)s AND disabled_at IS NULL",
)
PERSON = Statement(
    PersonRow,
    "SELECT id, name, email, locale, password_hash, is_operator, is_contributor FROM person "
    "WHERE id = %(id)s AND disabled_at IS NULL",
)
PERSON_ADD = Command(
    "INSERT INTO person (id, email, name, password_hash, is_operator, is_contributor, created_at) VALUES "
    "(%(id)s, %(email)s, %(name)s, %(password_hash)s, %(is_operator)s, %(is_contributor)s, %(now)s) "
    "ON CONFLICT DO NOTHING"
)
PERSON_CHANGE = Command(
    "UPDATE person SET name = coalesce(%(name)s::text, name), locale = coalesce(%(locale)s::text, locale) "
    "WHERE id = %(id)s"
)
PERSON_RAISE = Command(
    "UPDATE person SET is_operator = is_operator OR %(operator)s, is_contributor = is_contributor OR %(contributor)s, "
    "is_guest = is_guest AND NOT %(contributor)s WHERE id = %(id)s"
)
PASSWORD_KEEP = Command("UPDATE person SET password_hash = %(password_hash)s WHERE id = %(id)s")
OPERATOR_EXISTS = Scalar(bool, "SELECT EXISTS (SELECT FROM person WHERE is_operator AND disabled_at IS NULL)")
# Two first administrators at the same time: the second waits here and then finds the first.
FIRST_ADMIN_LOCK = Command("SELECT pg_advisory_xact_lock(7466031202)")

# ---------------------------------------------------------------- sessions
SESSION_ADD = Command(
    "INSERT INTO person_session (token_hash, person, csrf, created_at, expires_at) "
    "VALUES (%(token_hash)s, %(person)s, %(csrf)s, %(now)s, %(expires_at)s)"
)
SESSION_FIND = Statement(
    SessionRow,
    "SELECT s.person, s.csrf, s.expires_at, p.name, p.email, p.locale, p.is_operator, p.is_contributor "
    "FROM person_session s JOIN person p ON p.id = s.person "
    "WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND p.disabled_at IS NULL",
)
SESSION_SLIDE = Command("UPDATE person_session SET expires_at = %(expires_at)s WHERE token_hash = %(token_hash)s")
SESSION_END = Command("DELETE FROM person_session WHERE token_hash = %(token_hash)s")
SESSIONS_END = Command("DELETE FROM person_session WHERE person = %(person)s")
SESSIONS_SWEEP = Command("DELETE FROM person_session WHERE person = %(person)s AND expires_at <= %(now)s")
TENANTS_OF_PERSON = Statement(
    TenantOfPerson,
    "SELECT t.id, o.name, t.world, m.role FROM membership m JOIN tenant t ON t.id = m.tenant "
    "JOIN organisation o ON o.id = t.organisation WHERE m.person = %(person)s "
    "ORDER BY t.world, o.name, t.id LIMIT 1000",
)

# ---------------------------------------------------------------- contributors' tokens
TOKEN_FIND = Statement(
    TokenRow,
    "SELECT t.person, p.is_contributor FROM person_token t JOIN person p ON p.id = t.person "
    "WHERE t.token_hash = %(token_hash)s AND t.revoked_at IS NULL AND p.disabled_at IS NULL",
)
TOKENS_REVOKE = Command("UPDATE person_token SET revoked_at = %(now)s WHERE person = %(person)s AND revoked_at IS NULL")

# ---------------------------------------------------------------- links and invitations
LINK_ADD = Command(
    "INSERT INTO person_link (token_hash, purpose, email, created_at, expires_at) "
    "VALUES (%(token_hash)s, %(purpose)s, %(email)s, %(now)s, %(expires_at)s) ON CONFLICT DO NOTHING"
)
LINK_EXPIRY = Scalar(datetime, "SELECT expires_at FROM person_link WHERE token_hash = %(token_hash)s")
# links and invitations that nobody can use any more are gone a month later
LINKS_PRUNE = Command("DELETE FROM person_link WHERE expires_at < %(before)s")
INVITATIONS_PRUNE = Command("DELETE FROM invitation WHERE tenant = %(tenant)s AND expires_at < %(before)s")
LINKS_CLOSE = Command("UPDATE person_link SET used_at = %(now)s WHERE purpose = %(purpose)s AND used_at IS NULL")
LINK_LOOK = Statement(
    LinkRow,
    "SELECT purpose, email FROM person_link "
    "WHERE token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(now)s",
)
LINK_TAKE = Statement(
    LinkRow,
    "UPDATE person_link SET used_at = %(now)s "
    "WHERE token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(now)s RETURNING purpose, email",
)
INVITATION_ADD = Command(
    "INSERT INTO invitation (tenant, token_hash, role, email, key, confirmed, created_at, expires_at) "
    "VALUES (%(tenant)s, %(token_hash)s, %(role)s, %(email)s, %(key)s::uuid, %(confirmed)s, %(now)s, %(expires_at)s) "
    "ON CONFLICT DO NOTHING"
)
INVITATION_EXPIRY = Scalar(
    datetime, "SELECT expires_at FROM invitation WHERE tenant = %(tenant)s AND token_hash = %(token_hash)s"
)
INVITATION_LOOK = Statement(
    InvitationRow,
    "SELECT role, email, confirmed FROM invitation WHERE tenant = %(tenant)s AND token_hash = %(token_hash)s "
    "AND used_at IS NULL AND expires_at > %(now)s",
)
# Of several who come with one link at the same time, the first has it.
INVITATION_TAKE = Statement(
    InvitationRow,
    "UPDATE invitation SET used_at = %(now)s WHERE tenant = %(tenant)s AND token_hash = %(token_hash)s "
    "AND used_at IS NULL AND confirmed AND expires_at > %(now)s RETURNING role, email, confirmed",
)
INVITATION_BACK = Command(
    "UPDATE invitation SET used_at = NULL WHERE tenant = %(tenant)s AND token_hash = %(token_hash)s "
    "AND used_at = %(now)s"
)
INVITATIONS_OF_KEY_END = Command(
    "UPDATE invitation SET used_at = %(now)s WHERE tenant = %(tenant)s AND key = %(key)s AND used_at IS NULL"
)
INVITATION_CONFIRM = Scalar(
    str,
    "UPDATE invitation SET confirmed = true WHERE tenant = %(tenant)s AND email = %(email)s AND used_at IS NULL "
    "AND expires_at > %(now)s RETURNING role",
)
INVITATIONS_OPEN = Statement(
    OpenInvitation,
    "SELECT DISTINCT ON (email) email, role, confirmed, expires_at FROM invitation WHERE tenant = %(tenant)s "
    "AND email IS NOT NULL AND email > %(after)s::text AND used_at IS NULL AND expires_at > %(now)s "
    "ORDER BY email, created_at DESC LIMIT %(limit)s",
)
INVITATIONS_CLOSE = Command(
    "UPDATE invitation SET used_at = %(now)s WHERE tenant = %(tenant)s AND email = ANY (%(emails)s::text[]) "
    "AND used_at IS NULL"
)
INVITATION_ROLE = Command(
    "UPDATE invitation SET role = %(role)s, confirmed = %(confirmed)s WHERE tenant = %(tenant)s "
    "AND email = %(email)s AND used_at IS NULL "
    "AND expires_at > %(now)s"
)

# ---------------------------------------------------------------- people who work by a tenant's own invitation
# OPS: a guest is a contributor to whom only the work of the tenants that invited them is offered.
GUEST_RAISE = Command(
    "UPDATE person SET is_guest = is_guest OR NOT is_contributor, is_contributor = true WHERE id = %(id)s"
)
LABELER_ADD = Command(
    "INSERT INTO labeler (tenant, person, created_at) VALUES (%(tenant)s, %(person)s, %(now)s) ON CONFLICT DO NOTHING"
)
LABELER_REMOVE = Command("DELETE FROM labeler WHERE tenant = %(tenant)s AND person = %(person)s")
LABELERS = Statement(
    Labeler,
    "SELECT l.person, p.name, p.email FROM labeler l JOIN person p ON p.id = l.person WHERE l.tenant = %(tenant)s "
    "ORDER BY l.created_at, l.person LIMIT %(limit)s",
)

# ---------------------------------------------------------------- organisations and their two tenants
ORGANISATION_ADD = Command(
    "INSERT INTO organisation (id, name, created_at) VALUES (%(id)s, %(name)s, %(now)s) ON CONFLICT DO NOTHING"
)
TENANT_ADD = Command(
    "INSERT INTO tenant (id, organisation, world, created_at) VALUES (%(id)s, %(organisation)s, %(world)s, %(now)s)"
)
ORGANISATION = Statement(
    OrganisationRow,
    "SELECT o.id, o.name, l.id AS live, t.id AS test, o.created_at FROM organisation o "
    "JOIN tenant l ON l.organisation = o.id AND l.world = 'live' "
    "JOIN tenant t ON t.organisation = o.id AND t.world = 'test' WHERE o.name = %(name)s",
)
ORGANISATIONS = Statement(
    OrganisationRow,
    "SELECT o.id, o.name, l.id AS live, t.id AS test, o.created_at FROM organisation o "
    "JOIN tenant l ON l.organisation = o.id AND l.world = 'live' "
    "JOIN tenant t ON t.organisation = o.id AND t.world = 'test' "
    "WHERE o.name > %(after)s ORDER BY o.name LIMIT %(limit)s",
)
ORGANISATION_OF = Scalar(
    str, "SELECT o.name FROM tenant t JOIN organisation o ON o.id = t.organisation WHERE t.id = %(tenant)s"
)
TENANT_WORLD = Scalar(str, "SELECT world FROM tenant WHERE id = %(tenant)s")
TENANTS_KNOWN = Scalar(int, "SELECT count(*)::int FROM tenant WHERE id = ANY (%(tenants)s::uuid[])")
MEMBERSHIP_OPEN = Command(
    "INSERT INTO membership (tenant, person, role, created_at) VALUES (%(tenant)s, %(person)s, %(role)s, %(now)s)"
)

# ---------------------------------------------------------------- contributors in bulk
EMAIL_TAKEN = Scalar(
    str,
    "SELECT p.email FROM person p JOIN unnest(%(ids)s::uuid[], %(emails)s::text[]) AS n (id, email) "
    "ON p.email = n.email AND p.id <> n.id LIMIT 1",
)
PEOPLE_ADD = Command(
    "INSERT INTO person (id, name, email, password_hash, is_contributor, created_at) "
    "SELECT id, name, email, password_hash, true, %(now)s "
    "FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(emails)s::text[], %(hashes)s::text[]) "
    "AS n (id, name, email, password_hash) ON CONFLICT (id) DO NOTHING"
)
TOKENS_ADD = Command(
    "INSERT INTO person_token (token_hash, person, created_at) SELECT token_hash, person, %(now)s "
    "FROM unnest(%(token_hashes)s::bytea[], %(ids)s::uuid[]) AS n (token_hash, person) ON CONFLICT DO NOTHING"
)
ADMIT = Command(
    "INSERT INTO contributor (tenant, worker, person, admitted_at) SELECT %(tenant)s, worker, person, %(now)s "
    "FROM unnest(%(workers)s::uuid[], %(ids)s::uuid[]) AS n (worker, person) ON CONFLICT DO NOTHING"
)
CONTRIBUTORS = Statement(
    ContributorRow,
    "SELECT id, name, email, created_at FROM person WHERE is_contributor AND disabled_at IS NULL "
    "AND (created_at, id) > (%(after_at)s, %(after)s) ORDER BY created_at, id LIMIT %(limit)s",
)

# ---------------------------------------------------------------- keys (APP)
KEY_FIND = Statement(
    KeyFound,
    "SELECT k.id, t.world FROM api_key k JOIN tenant t ON t.id = k.tenant "
    "WHERE k.tenant = %(tenant)s AND k.key_hash = %(key_hash)s AND k.revoked_at IS NULL",
)
KEY_ADD = Command(
    "INSERT INTO api_key (tenant, id, name, prefix, key_hash, made_by, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(name)s, %(prefix)s, %(key_hash)s, %(made_by)s::uuid, %(now)s) ON CONFLICT DO NOTHING"
)
KEY = Statement(
    Key,
    "SELECT id, name, prefix, created_at, revoked_at FROM api_key WHERE tenant = %(tenant)s AND id = %(id)s",
)
KEYS = Statement(
    Key,
    "SELECT id, name, prefix, created_at, revoked_at FROM api_key WHERE tenant = %(tenant)s "
    "AND (created_at, id) > (%(after_at)s, %(after)s) ORDER BY created_at, id LIMIT %(limit)s",
)
KEY_REVOKE = Command(
    "UPDATE api_key SET revoked_at = coalesce(revoked_at, %(now)s) WHERE tenant = %(tenant)s AND id = %(id)s"
)
WORLD_OF_TENANT = Scalar(str, "SELECT world FROM tenant WHERE id = %(tenant)s")

# ---------------------------------------------------------------- members (APP)
MEMBERS = Statement(
    MemberRow,
    "SELECT m.person, p.name, p.email, m.role, m.created_at FROM membership m JOIN person p ON p.id = m.person "
    "WHERE m.tenant = %(tenant)s AND (m.created_at, m.person) > (%(after_at)s, %(after)s) "
    "ORDER BY m.created_at, m.person LIMIT %(limit)s",
)
MEMBER = Statement(
    MemberRow,
    "SELECT m.person, p.name, p.email, m.role, m.created_at FROM membership m JOIN person p ON p.id = m.person "
    "WHERE m.tenant = %(tenant)s AND m.person = %(person)s FOR UPDATE OF m",
)
MEMBER_PUT = Command(
    "INSERT INTO membership (tenant, person, role, created_at) VALUES (%(tenant)s, %(person)s, %(role)s, %(now)s) "
    "ON CONFLICT (tenant, person) DO UPDATE SET role = excluded.role"
)
MEMBER_REMOVE = Command("DELETE FROM membership WHERE tenant = %(tenant)s AND person = %(person)s")
# All owners are locked, in one order: of two that leave at the same time the second finds itself the last.
OWNERS_LOCK = Statement(
    OwnerRow,
    "SELECT person FROM membership WHERE tenant = %(tenant)s AND role = 'owner' ORDER BY person FOR UPDATE",
)
