"""Organisations, contributors, keys and members: who may what, and that one tenant never meets another."""

from __future__ import annotations

import base64
import time
from uuid import UUID

import psycopg
from psycopg import sql

from cupola.identity import credentials, flows, recognise, service, store
from cupola.identity.model import Link
from cupola.kernel import clock, ids
from cupola.platform.once import Once
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from tests.serving import PASSWORD, Serving


def stored_text(url: str) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(url) as conn:
        tables = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'cupola'::regnamespace AND relkind = 'r'"
        ).fetchall()
        rows: list[str] = []
        for (table,) in tables:
            query = sql.SQL("SELECT t::text FROM cupola.{} t").format(sql.Identifier(table))
            rows += [str(row[0]) for row in conn.execute(query)]
    return "\n".join(rows)


def test_an_organisation_has_a_live_and_a_test_tenant_and_its_name_is_taken_once(served: Serving) -> None:
    operator = served.operator().client
    made = operator.post("/api/tenants", json={"name": "Twice"})
    assert made.status_code == 201
    assert made.json()["live"]["id"] != made.json()["test"]["id"]
    assert operator.post("/api/tenants", json={"name": " Twice "}).status_code == 409
    mine = {t["id"]: (t["world"], t["role"]) for t in operator.get("/api/session").json()["tenants"]}
    assert mine[made.json()["live"]["id"]] == ("live", "owner")
    assert mine[made.json()["test"]["id"]] == ("test", "owner")


def test_a_retry_with_the_same_idempotency_key_makes_nothing_twice(served: Serving) -> None:
    operator = served.operator().client
    once = {"Idempotency-Key": "tenant 7"}
    first = operator.post("/api/tenants", json={"name": "Retried"}, headers=once)
    again = operator.post("/api/tenants", json={"name": "Retried"}, headers=once)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    body = {"people": [{"name": "A"}, {"name": "B"}], "tokens": True, "tenants": [first.json()["live"]["id"]]}
    people = operator.post("/api/contributors", json=body, headers={"Idempotency-Key": "people 7"})
    retried = operator.post("/api/contributors", json=body, headers={"Idempotency-Key": "people 7"})
    assert people.status_code == 201, people.text
    assert people.json() == retried.json()
    owner = served.owner("Retried keys").client
    key = owner.post("/api/keys", json={"name": "k"}, headers={"Idempotency-Key": "key 7"})
    same = owner.post("/api/keys", json={"name": "k"}, headers={"Idempotency-Key": "key 7"})
    assert key.status_code == 201, key.text
    assert key.json() == same.json()
    other = owner.post("/api/keys", json={"name": "other"}, headers={"Idempotency-Key": "key 7"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert len(owner.get("/api/keys").json()["items"]) == 1


def test_no_secret_that_was_shown_is_anywhere_in_the_database(served: Serving) -> None:
    owner = served.owner("Secrets")
    key = owner.client.post("/api/keys", json={"name": "k"}, headers={"Idempotency-Key": "s"}).json()["key"]
    link = owner.client.post("/api/invitations", json={"role": "manager"}, headers={"Idempotency-Key": "i"}).json()
    token = (
        served.operator()
        .client.post("/api/contributors", json={"people": [{"name": "T"}], "tokens": True})
        .json()["items"][0]["token"]
    )
    everything = stored_text(served.admin_url)
    assert owner.tenant in everything, "the search looks where the rows are"
    for secret in (key, token, link["link"].split("token=")[1], owner.client.cookies["cupola_session"], PASSWORD):
        assert secret not in everything
        assert secret.encode().hex() not in everything, "as bytes"
        assert secret[-20:] not in everything, "in part"


def test_a_key_acts_for_its_tenant_and_world_only(served: Serving) -> None:
    owner, other = served.owner("Keyed"), served.owner("Not keyed")
    client = served.key(owner)
    key = client.headers["Authorization"].split()[1]
    assert key.startswith("live_")
    assert [k["name"] for k in client.get("/api/keys").json()["items"]] == ["a key"]
    assert client.get("/api/keys", headers={"Cupola-Tenant": other.tenant}).status_code == 404
    assert client.get("/api/keys", headers={"Cupola-Tenant": owner.test_tenant}).status_code == 404
    as_test = served.client(Authorization=f"Bearer {key.replace('live_', 'test_', 1)}")
    assert as_test.get("/api/keys").status_code == 401
    basic = base64.b64encode(f"{key}:".encode()).decode()
    assert served.client(Authorization=f"Basic {basic}").get("/api/keys").status_code == 200
    elsewhere = base64.urlsafe_b64encode(bytes.fromhex(other.tenant.replace("-", ""))).rstrip(b"=").decode()
    forged = "live_" + elsewhere + key.removeprefix("live_")[22:]
    assert served.client(Authorization=f"Bearer {forged}").get("/api/keys").status_code == 401
    for junk in ("", "x", "Bearer", "Bearer live_", f"Bearer {key}x", "Basic !!!", f"Token {key}"):
        assert served.client(Authorization=junk).get("/api/keys").status_code == 401, junk


def test_a_key_of_the_older_form_stays_valid(served: Serving) -> None:
    owner = served.owner("Older keys")
    text = credentials.for_tenant("cup_live_", UUID(owner.tenant), "x" * 43)

    async def keep(run: Runtime) -> None:
        async with run.db.tx(Role.APP, tenant=UUID(owner.tenant)) as conn:
            await store.KEY_ADD.run(
                conn,
                tenant=UUID(owner.tenant),
                id=ids.uuid7(),
                name="older",
                prefix="cup_live_…xxxx",
                key_hash=credentials.hashed(text),
                made_by=None,
                now=clock.now(),
            )

    served.call(keep)
    assert served.client(Authorization=f"Bearer {text}").get("/api/keys").status_code == 200
    as_test = text.replace("cup_live_", "cup_test_")
    assert served.client(Authorization=f"Bearer {as_test}").get("/api/keys").status_code == 401


def test_an_operator_who_names_an_organisation_is_told_of_it_and_reads_nothing_of_it(served: Serving) -> None:
    owner = served.owner("Of others")
    operator = served.operator().client
    person = operator.get("/api/session").json()["person"]["id"]
    assert owner.client.delete(f"/api/members/{person}").status_code == 204
    named = {"Cupola-Tenant": owner.tenant}
    answer = operator.get("/api/keys", headers=named)
    assert (answer.status_code, "no member" in answer.json()["detail"]) == (403, True), answer.text
    assert operator.get("/api/tenants", headers=named).status_code == 200
    nobody = {"Cupola-Tenant": str(ids.uuid7())}
    assert operator.get("/api/keys", headers=nobody).status_code == 404


def test_an_owner_named_by_the_operator_owns_both_worlds_and_keeps_the_password_they_have(served: Serving) -> None:
    there = served.owner("Owned before")
    email = there.session["person"]["email"]

    async def own(run: Runtime, name: str, address: str) -> Link | None:
        async with run.db.tx(Role.OPS) as conn:
            found = await service.organisation(conn, name)
            made = found or await service.create_organisation(conn, Once(), name, None)
        return await flows.make_owner(run, made, address)

    assert served.call(lambda run: own(run, "Of two", email.upper())) is None
    named = [one for one in there.client.get("/api/session").json()["tenants"] if one["name"] == "Of two"]
    assert [(one["world"], one["role"]) for one in named] == [("live", "owner"), ("test", "owner")]
    first, again = (served.call(lambda run: own(run, "Of two", "new@example.org")) for _ in range(2))
    assert first is not None, "who never had a password gets a link"
    assert again is not None, "and another one"
    body = {"token": again.link.split("token=")[1], "name": "New", "email": "new@example.org", "password": PASSWORD}
    assert served.client().post("/api/invitations/accept", json=body).status_code == 200
    assert served.call(lambda run: own(run, "Of two", "new@example.org")) is None


def test_a_test_key_is_made_in_the_test_world(served: Serving) -> None:
    operator = served.operator().client
    made = operator.post("/api/tenants", json={"name": "Worlds"}).json()
    keys = {}
    for world in ("live", "test"):
        headers = {"Cupola-Tenant": made[world]["id"]}
        keys[world] = operator.post("/api/keys", json={"name": world}, headers=headers).json()
        assert keys[world]["key"].startswith(f"{world}_")
        assert keys[world]["prefix"].startswith(f"{world}_")
    listed = served.client(Authorization=f"Bearer {keys['test']['key']}").get("/api/keys").json()["items"]
    assert [k["name"] for k in listed] == ["test"]
    assert "key" not in listed[0]


def test_a_revoked_key_is_refused_at_once(served: Serving) -> None:
    owner = served.owner("Revoking")
    client = served.key(owner)
    assert client.get("/api/members").status_code == 200
    (key,) = owner.client.get("/api/keys").json()["items"]
    assert served.owner("Stranger").client.delete(f"/api/keys/{key['id']}").status_code == 404
    assert client.get("/api/members").status_code == 200
    assert owner.client.delete(f"/api/keys/{key['id']}").status_code == 204
    assert client.get("/api/members").status_code == 401
    assert owner.client.delete(f"/api/keys/{key['id']}").status_code == 204, "twice is no error"


def test_a_key_revoked_behind_this_process_ends_within_five_seconds(served: Serving) -> None:
    owner = served.owner("Elsewhere")
    client = served.key(owner)
    assert client.get("/api/members").status_code == 200
    with psycopg.connect(served.admin_url) as conn:
        conn.execute("UPDATE cupola.api_key SET revoked_at = now() WHERE tenant = %s", (owner.tenant,))
    end = time.monotonic() + recognise.KNOWN_FOR_S + 1
    while client.get("/api/members").status_code == 200 and time.monotonic() < end:
        time.sleep(0.2)
    assert client.get("/api/members").status_code == 401


def test_a_key_makes_neither_keys_nor_members(served: Serving) -> None:
    owner = served.owner("Least")
    client = served.key(owner)
    assert client.post("/api/keys", json={"name": "more"}).status_code == 403
    assert client.post("/api/invitations", json={"role": "owner"}).status_code == 403
    person = owner.session["person"]["id"]
    assert client.patch(f"/api/members/{person}", json={"role": "reviewer"}).status_code == 403
    assert client.get("/api/tenants").status_code == 403


def test_a_person_names_one_of_their_own_tenants_and_no_other(served: Serving) -> None:
    owner, other = served.owner("Mine"), served.owner("Theirs")
    assert owner.client.get("/api/members", headers={"Cupola-Tenant": owner.tenant}).status_code == 200
    assert owner.client.get("/api/members", params={"tenant": owner.tenant}).status_code == 200
    for foreign in (other.tenant, owner.test_tenant, "00000000-0000-0000-0000-000000000000"):
        answer = owner.client.get("/api/members", headers={"Cupola-Tenant": foreign})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert owner.client.get("/api/members", headers={"Cupola-Tenant": "x"}).status_code == 400


def test_only_the_operator_sees_tenants_and_contributors(served: Serving) -> None:
    owner = served.owner("Ordinary")
    for client, status in ((owner.client, 403), (served.client(), 401)):
        assert client.get("/api/tenants").status_code == status
        assert client.get("/api/contributors").status_code == status
    assert owner.client.post("/api/tenants", json={"name": "Nope"}).status_code == 403
    assert owner.client.post("/api/contributors", json={"people": [{"name": "x"}]}).status_code == 403


def test_lists_are_paged_without_gap_or_repeat(served: Serving) -> None:
    owner = served.owner("Paged").client
    for n in range(7):
        assert owner.post("/api/keys", json={"name": f"k{n}"}).status_code == 201
    names: list[str] = []
    cursor = None
    while True:
        page = owner.get("/api/keys", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["items"]) <= 3
        names += [k["name"] for k in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == [f"k{n}" for n in range(7)]
    assert owner.get("/api/keys", params={"cursor": "nonsense"}).status_code == 400


def test_a_thousand_contributors_with_tokens_are_made_and_each_token_is_its_person(served: Serving) -> None:
    tenant = served.owner("Crowd").tenant
    body = {"people": [{"name": f"c{n}"} for n in range(1000)], "tokens": True, "tenants": [tenant]}
    began = time.monotonic()
    made = served.operator().client.post("/api/contributors", json=body)
    print(f"1000 contributors with tokens: {time.monotonic() - began:.2f} s")
    assert made.status_code == 201, made.text
    items = made.json()["items"]
    assert [item["name"] for item in items] == [f"c{n}" for n in range(1000)]
    assert len({item["token"] for item in items}) == 1000
    assert len({item["workers"][tenant] for item in items}) == 1000
    with psycopg.connect(served.admin_url) as conn:
        stored = conn.execute(
            "SELECT person::text, worker::text FROM cupola.contributor WHERE tenant = %s", (tenant,)
        ).fetchall()
    assert dict(stored) == {item["id"]: item["workers"][tenant] for item in items}
    found = served.call(lambda runtime: recognise.person_token(runtime, items[500]["token"]))
    assert found is not None
    assert (str(found.person), found.contributor, found.operator, found.tenant) == (items[500]["id"], True, False, None)


def test_two_tenants_know_one_person_by_two_pseudonyms(served: Serving) -> None:
    one, two = served.owner("One").tenant, served.owner("Two").tenant
    body = {"people": [{"name": "P"}], "tenants": [one, two]}
    workers = served.operator().client.post("/api/contributors", json=body).json()["items"][0]["workers"]
    assert workers[one] != workers[two]


def test_a_contributor_with_a_password_signs_in_and_a_revoked_token_ends(served: Serving) -> None:
    operator = served.operator().client
    body = {"people": [{"name": "W", "email": "W@example.org", "password": PASSWORD}], "tokens": True}
    made = operator.post("/api/contributors", json=body).json()["items"][0]
    signed = served.client().post("/api/session", json={"email": "w@example.org", "password": PASSWORD})
    assert signed.status_code == 200
    assert signed.json()["contributor"] is True
    token = made["token"]
    assert served.call(lambda runtime: recognise.person_token(runtime, token)) is not None
    assert served.client(Authorization=f"Bearer {token}").get("/api/tenants").status_code == 403
    assert operator.delete(f"/api/contributors/{made['id']}/tokens").status_code == 204
    assert served.call(lambda runtime: recognise.person_token(runtime, token)) is None


def test_bad_people_are_refused_with_their_place_and_none_is_made(served: Serving) -> None:
    operator = served.operator().client
    assert operator.post("/api/contributors", json={"people": [{"name": "E", "email": "e1@example.org"}]}).is_success
    cases = [
        ([{"name": "A"}, {"name": "B", "email": "nothing"}], 400, "/people/1/email"),
        ([{"name": "A", "email": "x@example.org"}, {"name": "B", "email": "X@example.org"}], 400, "/people/1/email"),
        ([{"name": "A"}, {"name": "B", "email": "e1@example.org"}], 409, "/people/1/email"),
        ([{"name": "A", "password": PASSWORD}], 400, "/people/0/email"),
        ([{"name": "A", "email": "y@example.org", "password": "short"}], 400, "/people/0/password"),
        ([{"name": "\u0007"}], 400, "/people/0/name"),
    ]
    before = len(stored_text(served.admin_url))
    for people, status, place in cases:
        answer = operator.post("/api/contributors", json={"people": people})
        assert (answer.status_code, answer.json()["place"]) == (status, place), people
    unknown = {"people": [{"name": "A"}], "tenants": ["00000000-0000-0000-0000-000000000000"]}
    assert operator.post("/api/contributors", json=unknown).status_code == 404
    assert len(stored_text(served.admin_url)) == before


def test_the_last_owner_stays_and_a_removed_member_is_out_at_once(served: Serving) -> None:
    owner = served.owner("Members")
    me = owner.session["person"]["id"]
    (operator,) = [m for m in owner.client.get("/api/members").json()["items"] if m["person"] != me]
    assert operator["role"] == "owner", "who made the organisation is an owner too"
    assert (
        owner.client.patch(f"/api/members/{operator['person']}", json={"role": "reviewer"}).json()["role"] == "reviewer"
    )
    demoted = served.operator().client.get("/api/keys", headers={"Cupola-Tenant": owner.tenant})
    assert demoted.status_code == 403
    assert owner.client.delete(f"/api/members/{operator['person']}").status_code == 204
    assert served.operator().client.get("/api/members", headers={"Cupola-Tenant": owner.tenant}).status_code == 403
    for attempt in (
        owner.client.delete(f"/api/members/{me}"),
        owner.client.patch(f"/api/members/{me}", json={"role": "manager"}),
    ):
        assert (attempt.status_code, attempt.json()["code"]) == (409, "last-owner")
    assert owner.client.delete(f"/api/members/{operator['person']}").status_code == 404
    stranger = served.owner("Strange members")
    assert stranger.client.delete(f"/api/members/{me}").status_code == 404
    assert stranger.client.patch(f"/api/members/{me}", json={"role": "reviewer"}).status_code == 404
