"""Teammates: a key invites, the invited come by their link, and become who they were invited as."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from scaleapi.exceptions import ScaleInvalidRequest, ScaleResourceNotFound
from scaleapi.tasks import TaskType
from scaleapi.teams import TeammateRole

from cupola.kernel import clock, ids
from tests.scale.conftest import World, until
from tests.serving import PASSWORD

WORDS: dict[str, Any] = {"attachment_type": "text", "categories": ["cat", "dog"]}


def address(name: str) -> str:
    return f"{name}-{ids.token(5).lower()}@example.org"


def accepted(world: World, link: str, email: str) -> httpx.Client:
    """The person behind an address, signed in by their link."""
    client = world.served.client()
    body = {"token": link.split("token=")[1], "name": "Somebody New", "email": email, "password": PASSWORD}
    answer = client.post("/api/invitations/accept", json=body)
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client


def confirmed(world: World, email: str) -> None:
    answer = world.owner.client.post("/api/invitations/confirm", json={"email": email})
    assert answer.status_code == 204, answer.text


def role_of(world: World, email: str) -> str | None:
    return next((one.role for one in world.live.list_teammates() if one.email == email), None)


def test_a_labeler_comes_by_the_link_and_is_offered_this_tenants_work_and_no_other(world: World) -> None:
    world.fund()
    client = world.live
    email = address("labeler")
    invited, *_ = client.invite_teammates([email], TeammateRole.Labeler)
    assert (invited.role, invited.is_studio_labeler) == ("labeler", True)
    assert invited.expiry.endswith("Z")
    assert role_of(world, email) == "labeler"
    person = accepted(world, invited.as_dict()["invitation_url"], email)
    assert person.get("/api/session").json()["contributor"] is True
    assert person.get("/api/session").json()["tenants"] == []
    [here] = [one for one in client.list_teammates() if one.email == email]
    assert (here.expiry, here.first_name, here.last_name) == (None, "Somebody", "New")
    task = client.create_task(TaskType.Categorization, attachment="It barks.", **WORDS)
    until(lambda: client.get_task(task.id).as_dict()["waiting_for"] == "work", "in the queue")
    ours = {str(row[0]) for row in world.sql("SELECT id FROM project WHERE tenant = %s", world.owner.tenant)}
    assert {one["project"] for one in person.get("/api/work/offers").json()} == ours
    page = person.post(f"/api/work/projects/{ours.pop()}/claim").json()
    assert [one["item"]["text"] for one in page["tasks"]] == ["It barks."]
    key = world.served.client(Authorization=f"Bearer {world.live_key}")
    left = key.post("/v1/teams/remove", json={"emails": [email]})
    assert email not in {one["email"] for one in left.json()}
    assert person.get("/api/work/offers").json() == []
    label = {"kind": "choice", "values": ["dog"]}
    judgements = [{"task": page["tasks"][0]["task"], "label": label, "seconds": 2.0}]
    paid = person.post(f"/api/work/assignments/{page['id']}/submit",
                       json={"fence": page["fence"], "judgements": judgements})  # fmt: skip
    assert paid.json()["paid_minor"] > 0, "a page under way is finished and paid"


@pytest.mark.parametrize(
    ("asked", "role", "shown"),
    [
        (TeammateRole.Member, "reviewer", "member"),
        (TeammateRole.Manager, "manager", "manager"),
        (TeammateRole.Admin, "manager", "manager"),  # a key acts as a manager and hands on no more
    ],
)
def test_a_member_becomes_one_of_the_tenant(world: World, asked: TeammateRole, role: str, shown: str) -> None:
    email = address("member")
    invited, *_ = world.live.invite_teammates([email], asked)
    assert invited.role == shown
    assert "because" in invited.as_dict(), "a key makes nobody a member by itself"
    body = {"token": invited.as_dict()["invitation_url"].split("token=")[1], "name": "N", "email": email}
    early = world.served.client().post("/api/invitations/accept", json={**body, "password": PASSWORD})
    assert (early.status_code, early.json()["code"]) == (409, "invitation-unconfirmed")
    confirmed(world, email)
    person = accepted(world, invited.as_dict()["invitation_url"], email)
    [tenant] = person.get("/api/session").json()["tenants"]
    assert (tenant["id"], tenant["role"]) == (world.owner.tenant, role)
    assert person.get("/api/session").json()["contributor"] is False


def test_an_invitation_is_for_its_address_alone_and_a_new_one_ends_the_old(world: World) -> None:
    email = address("late")
    first, *_ = world.live.invite_teammates([email], TeammateRole.Labeler)
    second, *_ = world.live.invite_teammates([email], TeammateRole.Labeler)
    body = {"name": "Somebody", "password": PASSWORD}
    for link, sender, status in (
        (first.as_dict()["invitation_url"], email, 403),
        (second.as_dict()["invitation_url"], address("thief"), 403),
        (second.as_dict()["invitation_url"], email, 200),
    ):
        sent = {**body, "token": link.split("token=")[1], "email": sender}
        assert world.served.client().post("/api/invitations/accept", json=sent).status_code == status


def test_an_invitation_that_ran_out_is_no_teammate_any_more(world: World) -> None:
    email = address("slow")
    world.live.invite_teammates([email], TeammateRole.Member)
    assert role_of(world, email) == "member"
    clock.advance(timedelta(days=8))
    try:
        assert role_of(world, email) is None
    finally:
        clock.advance(timedelta(days=-8))


def test_roles_change_for_the_invited_for_labelers_and_for_members_but_not_for_owners(world: World) -> None:
    client = world.live
    email = address("rising")
    invited, *_ = client.invite_teammates([email], TeammateRole.Labeler)
    client.update_teammates_role([email], TeammateRole.Member)
    assert role_of(world, email) == "member"
    client.update_teammates_role([email], TeammateRole.Labeler)
    person = accepted(world, invited.as_dict()["invitation_url"], email)
    same, *_ = client.update_teammates_role([email], TeammateRole.Manager)
    assert (same.role, "because" in same.as_dict()) == ("labeler", True), "a key raises nobody"
    assert person.get("/api/session").json()["tenants"] == []
    confirmed(world, email)
    assert role_of(world, email) == "manager"
    assert [one["role"] for one in person.get("/api/session").json()["tenants"]] == ["manager"]
    fallen, *_ = client.update_teammates_role([email], TeammateRole.Labeler)
    assert fallen.role == "labeler"
    assert person.get("/api/session").json()["tenants"] == []
    assert world.sql("SELECT is_contributor, is_guest FROM person WHERE email = %s", email) == [(True, True)]
    owner = world.owner.session["person"]["email"]
    assert role_of(world, owner) == "admin"
    with pytest.raises(ScaleInvalidRequest, match="owner"):
        client.update_teammates_role([owner], TeammateRole.Member)
    with pytest.raises(ScaleResourceNotFound):
        client.update_teammates_role([address("nobody")], TeammateRole.Member)


def test_who_is_a_contributor_for_everybody_stays_one_after_a_tenants_invitation(world: World) -> None:
    email = address("old-hand")
    operator = world.served.operator().client
    made = operator.post("/api/invitations", json={"role": "contributor", "email": email}).json()
    accepted(world, made["link"], email)
    invited, *_ = world.live.invite_teammates([email], TeammateRole.Labeler)
    accepted(world, invited.as_dict()["invitation_url"], email)
    assert world.sql("SELECT is_contributor, is_guest FROM person WHERE email = %s", email) == [(True, False)]


def test_a_guest_becomes_a_contributor_for_everybody_by_the_operators_link(world: World) -> None:
    email = address("guest")
    invited, *_ = world.live.invite_teammates([email], TeammateRole.Labeler)
    accepted(world, invited.as_dict()["invitation_url"], email)
    operator = world.served.operator().client
    made = operator.post("/api/invitations", json={"role": "contributor", "email": email}).json()
    accepted(world, made["link"], email)
    assert world.sql("SELECT is_contributor, is_guest FROM person WHERE email = %s", email) == [(True, False)]


def test_what_a_key_invited_to_ends_with_the_key(world: World) -> None:
    made = world.owner.client.post("/api/keys", json={"name": "short-lived"}).json()
    key = world.served.client(Authorization=f"Bearer {made['key']}")
    email = address("late-comer")
    invited, *_ = key.post("/v1/teams/invite", json={"emails": [email], "team_role": "labeler"}).json()
    assert world.owner.client.delete(f"/api/keys/{made['id']}").status_code == 204
    body = {"token": invited["invitation_url"].split("token=")[1], "name": "N", "email": email, "password": PASSWORD}
    assert world.served.client().post("/api/invitations/accept", json=body).status_code == 403
    assert world.sql("SELECT count(*) FROM person WHERE email = %s", email) == [(0,)]
