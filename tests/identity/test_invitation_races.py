"""An invitation makes one member: whoever comes with it at the same time, and whatever goes wrong on the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from tests.serving import PASSWORD, Serving


def test_of_several_who_use_one_link_at_once_one_becomes_somebody_and_the_others_nobody(served: Serving) -> None:
    owner = served.owner("Crowded")
    link = owner.client.post("/api/invitations", json={"role": "manager"}).json()["link"]
    people = [f"crowd-{n}@example.org" for n in range(6)]

    def come(email: str) -> int:
        body = {"token": link.split("token=")[1], "name": "Crowd", "email": email, "password": PASSWORD}
        return served.client().post("/api/invitations/accept", json=body).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(come, people))
    assert sorted(answers) == [200, 403, 403, 403, 403, 403]
    with psycopg.connect(served.admin_url, options="-c search_path=cupola") as conn:
        [(made,)] = conn.execute("SELECT count(*) FROM person WHERE email = ANY (%s)", (people,)).fetchall()
    assert made == 1


def test_an_invitation_that_could_not_be_taken_up_stays_good(served: Serving) -> None:
    owner = served.owner("Patient")
    link = owner.client.post("/api/invitations", json={"role": "reviewer"}).json()["link"]
    body: dict[str, Any] = {"token": link.split("token=")[1], "name": "P", "email": "patient@example.org"}
    assert served.client().post("/api/invitations/accept", json={**body, "password": "short"}).status_code == 400
    assert served.client().post("/api/invitations/accept", json={**body, "password": PASSWORD}).status_code == 200


def test_an_owner_sees_who_is_invited_and_may_withdraw_it(served: Serving) -> None:
    owner = served.owner("Inviting at once")
    link = owner.client.post("/api/invitations", json={"role": "manager", "email": "late@example.org"}).json()["link"]
    [waits] = owner.client.get("/api/invitations").json()["items"]
    assert (waits["email"], waits["role"], waits["confirmed"]) == ("late@example.org", "manager", True)
    assert owner.client.post("/api/invitations/withdraw", json={"email": "Late@example.org"}).status_code == 204
    assert owner.client.get("/api/invitations").json()["items"] == []
    body = {"token": link.split("token=")[1], "name": "L", "email": "late@example.org", "password": PASSWORD}
    assert served.client().post("/api/invitations/accept", json=body).status_code == 403
    stranger = served.owner("Not inviting")
    assert stranger.client.post("/api/invitations/confirm", json={"email": "late@example.org"}).status_code == 404
