"""Signing in, links, sessions: over HTTP against a real database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg

from cupola.identity import flows
from cupola.kernel import clock
from tests.serving import PASSWORD, Person, Serving


def value(url: str, sql: str, *params: object) -> object:
    with psycopg.connect(url, options="-c search_path=cupola") as conn:
        row = conn.execute(sql, params).fetchone()
        return row[0] if row else None


def token_of(link: str) -> str:
    return link.split("token=")[1]


def invited(served: Serving, by: Person, **body: str) -> str:
    answer = by.client.post("/api/invitations", json=body)
    assert answer.status_code == 201, answer.text
    return token_of(answer.json()["link"])


def test_the_first_administrators_link_works_once_and_only_while_there_is_no_operator(
    fresh: Callable[[], Serving],
) -> None:
    served = fresh()
    older, newer = served.call(flows.first_admin_link), served.call(flows.first_admin_link)
    assert older
    assert newer
    assert "/first-admin?token=" in newer
    client = served.client()
    body = {"name": "Ada", "email": " Ada@Example.org", "password": PASSWORD}
    refused = client.post("/api/first-admin", json={**body, "token": token_of(older)})
    assert refused.status_code == 403, "a newer link ends the older one"
    made = client.post("/api/first-admin", json={**body, "token": token_of(newer)})
    assert made.status_code == 200, made.text
    assert made.json()["operator"] is True
    assert made.json()["person"]["email"] == "ada@example.org"
    assert client.get("/api/session").json()["person"]["name"] == "Ada"
    again = served.client().post(
        "/api/first-admin", json={**body, "email": "eve@example.org", "token": token_of(newer)}
    )
    assert again.status_code == 403
    assert served.call(flows.first_admin_link) is None


def test_of_many_who_use_the_first_link_at_the_same_time_one_becomes_operator(fresh: Callable[[], Serving]) -> None:
    served = fresh()
    link = served.call(flows.first_admin_link)
    assert link

    def use(n: int) -> int:
        body = {"token": token_of(link), "name": "A", "email": f"a{n}@example.org", "password": PASSWORD}
        return served.client().post("/api/first-admin", json=body).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(use, range(6))) == [200, 403, 403, 403, 403, 403]
    assert value(served.admin_url, "SELECT count(*) FROM person") == 1


def test_a_person_signs_in_and_out_and_the_cookie_is_closed_to_scripts(served: Serving) -> None:
    served.operator()
    client = served.client()
    answer = client.post("/api/session", json={"email": "OP@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Max-Age={14 * 86400}" in cookie
    assert client.get("/api/session").json()["csrf"] == answer.json()["csrf"]
    assert client.delete("/api/session").status_code == 403, "signing out needs the CSRF token too"
    token = client.cookies["cupola_session"]
    assert client.delete("/api/session", headers={"X-CSRF-Token": answer.json()["csrf"]}).status_code == 204
    replayed = served.client(Cookie=f"cupola_session={token}")
    assert replayed.get("/api/session").status_code == 401


def test_an_unsafe_request_without_this_sessions_csrf_token_is_refused_and_does_nothing(served: Serving) -> None:
    owner = served.owner("Guarded")
    other = served.owner("Another")
    for csrf in ("", "wrong", other.session["csrf"]):
        answer = owner.client.post("/api/keys", json={"name": "k"}, headers={"X-CSRF-Token": csrf})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert owner.client.get("/api/keys").json()["items"] == []
    assert owner.client.post("/api/keys", json={"name": "k"}).status_code == 201


def test_a_wrong_password_and_an_unknown_address_look_the_same(served: Serving) -> None:
    served.operator()
    wrong = served.client().post("/api/session", json={"email": "op@example.org", "password": "not this one"})
    nobody = served.client().post("/api/session", json={"email": "nobody@example.org", "password": "not this one"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json() == nobody.json()


def test_guessing_is_slowed_down_and_says_for_how_long(served: Serving) -> None:
    client = served.client()
    body = {"email": "guessed@example.org", "password": "0123456789"}
    codes = [client.post("/api/session", json=body).status_code for _ in range(10)]
    assert codes == [401] * 10
    # the eleventh has to wait a second after the tenth; hashing alone may take most of it, so two in a row tell
    answers = [client.post("/api/session", json=body) for _ in range(4)]
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert throttled
    assert throttled[0].json()["retry_after_s"] >= 1


def test_a_cross_site_sign_in_is_refused(served: Serving) -> None:
    served.operator()
    answer = served.client(**{"Sec-Fetch-Site": "cross-site"}).post(
        "/api/session", json={"email": "op@example.org", "password": PASSWORD}
    )
    assert answer.status_code == 403


def test_a_session_slides_while_it_is_used_and_ends_when_it_is_not(fresh: Callable[[], Serving]) -> None:
    served = fresh()
    operator = served.operator()
    try:
        clock.advance(timedelta(days=10))
        # the cache of 5 s runs on the monotonic clock, so a fresh look-up needs a forgotten entry
        operator.client.patch("/api/session/person", json={"locale": "zh"})
        assert operator.client.get("/api/session").json()["person"]["locale"] == "zh"
        clock.advance(timedelta(days=10))
        operator.client.patch("/api/session/person", json={"locale": "en"})
        assert operator.client.get("/api/session").status_code == 200, "20 days old, used 10 days ago"
        clock.advance(timedelta(days=15))
        operator.client.patch("/api/session/person", json={"name": "X"})
        assert operator.client.get("/api/session").status_code == 401
    finally:
        clock.advance(timedelta(days=-35))


def test_an_invitation_makes_a_member_once_and_only_for_its_address(served: Serving) -> None:
    owner = served.owner("Inviting")
    token = invited(served, owner, role="reviewer", email="rev@example.org")
    body = {"token": token, "name": "Rev", "password": PASSWORD}
    client = served.client()
    wrong = client.post("/api/invitations/accept", json={**body, "email": "other@example.org"})
    assert wrong.status_code == 403
    made = client.post("/api/invitations/accept", json={**body, "email": "Rev@example.org"})
    assert made.status_code == 200, made.text
    assert [(t["id"], t["role"], t["world"]) for t in made.json()["tenants"]] == [(owner.tenant, "reviewer", "live")]
    assert made.json()["operator"] is False
    again = served.client().post("/api/invitations/accept", json={**body, "email": "rev@example.org"})
    assert again.status_code in (401, 403)
    client.headers["X-CSRF-Token"] = made.json()["csrf"]
    refused = client.post("/api/keys", json={"name": "k"})
    assert refused.status_code == 403, "a reviewer makes no keys"


def test_somebody_who_is_there_already_accepts_with_their_own_password_only(served: Serving) -> None:
    first, second = served.owner("First house"), served.owner("Second house")
    email = first.session["person"]["email"]
    token = invited(served, second, role="manager")
    body = {"token": token, "name": "ignored", "email": email}
    stolen = served.client().post("/api/invitations/accept", json={**body, "password": "a new password"})
    assert stolen.status_code == 401, "an invitation must not reset somebody's password"
    joined = served.client().post("/api/invitations/accept", json={**body, "password": PASSWORD})
    assert joined.status_code == 200, joined.text
    assert {t["role"] for t in joined.json()["tenants"]} == {"owner", "manager"}


def test_an_invitation_ends_after_seven_days(served: Serving) -> None:
    owner = served.owner("Slow")
    token = invited(served, owner, role="manager")
    try:
        clock.advance(timedelta(days=7, minutes=1))
        body = {"token": token, "name": "Late", "email": "late@example.org", "password": PASSWORD}
        assert served.client().post("/api/invitations/accept", json=body).status_code == 403
    finally:
        clock.advance(timedelta(days=-7, minutes=-1))
    assert value(served.admin_url, "SELECT count(*) FROM person WHERE email = 'late@example.org'") == 0


def test_the_operator_invites_contributors_and_an_owner_cannot(served: Serving) -> None:
    owner = served.owner("No operator")
    assert owner.client.post("/api/invitations", json={"role": "contributor"}).status_code == 403
    assert owner.client.post("/api/invitations", json={"role": "operator"}).status_code == 403
    token = invited(served, served.operator(), role="contributor")
    body = {"token": token, "name": "Worker", "email": "worker@example.org", "password": PASSWORD}
    made = served.client().post("/api/invitations/accept", json=body)
    assert made.status_code == 200, made.text
    assert (made.json()["contributor"], made.json()["operator"], made.json()["tenants"]) == (True, False, [])


def test_passwords_addresses_and_unknown_fields_are_refused_with_their_place(served: Serving) -> None:
    owner = served.owner("Careful")
    token = invited(served, owner, role="manager")
    good = {"token": token, "name": "N", "email": "n@example.org", "password": PASSWORD}
    for change, place in (
        ({"password": "short"}, "/password"),
        ({"email": "no address"}, "/email"),
        ({"password": "n@example.org"}, "/password"),
        ({"name": "\u0000\u0007"}, "/name"),
    ):
        answer = served.client().post("/api/invitations/accept", json={**good, **change})
        assert (answer.status_code, answer.json()["place"]) == (400, place), change
        assert answer.json()["remedy"]
    assert served.client().post("/api/session", json={"email": "a@b.c", "password": "x", "rol": 1}).status_code == 422


def test_a_person_changes_name_and_language(served: Serving) -> None:
    owner = served.owner("Names")
    changed = owner.client.patch("/api/session/person", json={"locale": "zh", "name": "新名"})
    assert changed.status_code == 200, changed.text
    seen = owner.client.get("/api/session").json()["person"]
    assert (seen["locale"], seen["name"]) == ("zh", "新名")
    assert owner.client.patch("/api/session/person", json={"locale": "xx"}).status_code == 422


def test_a_changed_password_ends_every_other_session(served: Serving) -> None:
    owner = served.owner("Changing")
    email = owner.session["person"]["email"]
    elsewhere = served.client()
    assert elsewhere.post("/api/session", json={"email": email, "password": PASSWORD}).status_code == 200
    wrong = owner.client.put("/api/session/password", json={"current": "not mine at all", "new": "another long one"})
    assert wrong.status_code == 401
    short = owner.client.put("/api/session/password", json={"current": PASSWORD, "new": "short"})
    assert (short.status_code, short.json()["place"]) == (400, "/new")
    assert elsewhere.get("/api/session").status_code == 200
    done = owner.client.put("/api/session/password", json={"current": PASSWORD, "new": "another long one"})
    assert done.status_code == 200
    assert owner.client.get("/api/session").json()["csrf"] == done.json()["csrf"]
    assert elsewhere.get("/api/session").status_code == 401
    for password, status in ((PASSWORD, 401), ("another long one", 200)):
        body = {"email": email, "password": password}
        assert served.client().post("/api/session", json=body).status_code == status


def test_the_operator_lets_somebody_set_a_new_password_once(served: Serving) -> None:
    owner = served.owner("Forgetful")
    email = owner.session["person"]["email"]
    assert owner.client.post("/api/password-links", json={"email": email}).status_code == 403
    operator = served.operator().client
    assert operator.post("/api/password-links", json={"email": "nobody@example.org"}).status_code == 404
    link = operator.post("/api/password-links", json={"email": email.upper()})
    assert link.status_code == 201, link.text
    body = {"token": token_of(link.json()["link"]), "name": "ignored", "password": "a brand new one"}
    other = served.client().post("/api/invitations/accept", json={**body, "email": "op@example.org"})
    assert other.status_code == 403, "the link is for one address"
    done = served.client().post("/api/invitations/accept", json={**body, "email": email})
    assert done.status_code == 200, done.text
    assert done.json()["person"]["name"] == owner.session["person"]["name"]
    assert (done.json()["operator"], done.json()["contributor"]) == (False, False)
    assert owner.client.get("/api/session").status_code == 401, "what was open under the old password ended"
    assert served.client().post("/api/invitations/accept", json={**body, "email": email}).status_code == 403


def test_an_owner_cannot_come_by_the_account_of_somebody_without_a_password(served: Serving) -> None:
    people = {"people": [{"name": "No password", "email": "nopass@example.org"}]}
    assert served.operator().client.post("/api/contributors", json=people).status_code == 201
    owner = served.owner("Sly")
    body = {"name": "x", "email": "nopass@example.org", "password": "set by the sly one"}
    for invitation in ({"role": "manager"}, {"role": "manager", "email": "nopass@example.org"}):
        token = invited(served, owner, **invitation)
        answer = served.client().post("/api/invitations/accept", json={**body, "token": token})
        assert answer.status_code == 403
    token = invited(served, served.operator(), role="contributor", email="nopass@example.org")
    assert served.client().post("/api/invitations/accept", json={**body, "token": token}).status_code == 200
