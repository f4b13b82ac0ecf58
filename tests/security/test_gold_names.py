"""What an owner calls items gives no gold away: names, folders, addresses and metadata that tell are shown to nobody
who works; those that say nothing are shown as they are."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from cupola.kernel.errors import Problem
from cupola.platform.pg.cluster import Cluster
from cupola.platform.references import sign_reference, verify_reference
from cupola.tasks.adding.telling import Named, telling
from cupola.tasks.model import Plan
from tests.foundry import Foundry, fresh_foundry
from tests.serving import Serving

ITEMS, GOLDS = 60, 15
Calls = Callable[[int], Named]


def called(ref: str, url: str | None = None, **metadata: Any) -> Calls:
    """How the n-th item of a side is called; # in a word is n."""
    said = json.dumps(metadata)
    return lambda n: Named(ref.replace("#", str(n)), url and url.replace("#", str(n)), said.replace('"#"', str(n)))


def by_chance(seed: int) -> Calls:
    dice = random.Random(seed)
    words = ["sun", "sea", "cat", "猫", "dog", "test"]
    return lambda n: Named(
        f"{dice.choice(words)}/{dice.getrandbits(64):x}-{dice.choice(words)}.png", None, json.dumps({"n": n})
    )


TELL: dict[str, tuple[Calls, Calls]] = {
    "a folder": (called("gold/#.png"), called("work/#.png")),
    "a folder that means nothing": (called("x7/#.png"), called("x9/y/#.png")),
    "a folder within": (called("photos/known/a-#.png"), called("photos/a-#.png")),
    "the beginning of a name": (called("test_question_#.txt"), called("question_#.txt")),
    "a word in capitals": (called("img#GoldSet"), called("img#")),
    "another script": (called("金标/#.png"), called("图片/#.png")),
    "a folder of another machine's": (called("qc\\#.jpg"), called("in\\#.jpg")),
    "where it is kept": (called("a#", "https://one.example/#.png"), called("b#", "https://other.example/#.png")),
    "where it is kept, escaped": (called("a#", "https://x.example/go%6Cd/#.png"), called("a#", "https://x.example/#.png")),
    "a flag": (called("a#", is_gold=True), called("a#", is_gold=False)),
    "a leaf deep down": (called("a#", made={"by": ["expert", "#"]}), called("a#", made={"by": ["crowd", "#"]})),
    "that there is a leaf": (called("a#", checked_by="#"), called("a#")),
    "a few among many": (lambda n: Named(f"gold-{n}" if n % 3 else f"a-{n}", None, "{}"), called("a-#")),
}  # fmt: skip
SAY_NOTHING: dict[str, tuple[Calls, Calls]] = {
    "numbers alone": (called("digit-#"), called("digit-#")),
    "words by chance": (by_chance(1), by_chance(2)),
    "how a file ends": (called("a#.png"), called("a#.jpg")),
    "the instruction of a task": (called("a#", instruction="Look for gold."), called("a#", instruction="For tin.")),
    "a word that both have": (called("gold/#", gold="#"), called("gold/#", gold="#")),
}  # fmt: skip


@pytest.mark.parametrize("golds", [2, 15, 400])
@pytest.mark.parametrize("how", TELL)
def test_words_that_stand_on_gold_alone_tell(how: str, golds: int) -> None:
    mine, theirs = TELL[how]
    found = telling([mine(n) for n in range(golds)], [theirs(n) for n in range(4 * golds)])
    means_it = {"a folder", "a folder within", "the beginning of a name", "a word in capitals", "another script"}
    # of two nothing can be told by chance alone, but for words that mean it
    assert found is not None or (golds == 2 and how not in means_it)


@pytest.mark.parametrize("golds", [1, 3, 15, 400])
@pytest.mark.parametrize("how", SAY_NOTHING)
def test_what_stands_on_both_sides_alike_says_nothing(how: str, golds: int) -> None:
    mine, theirs = SAY_NOTHING[how]
    assert telling([mine(n) for n in range(golds)], [theirs(n) for n in range(4 * golds)]) is None
    assert telling([mine(n) for n in range(golds)], []) is None


@pytest.fixture(scope="module")
def foundry(cluster: Cluster, foundry_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foundry]:
    with fresh_foundry(cluster, foundry_template, tmp_path_factory.mktemp("names")) as opened:
        yield opened


@pytest.fixture(scope="module")
def serving(foundry: Foundry) -> Iterator[Serving]:
    with foundry.http() as url:
        yield Serving(url, foundry.admin_url, foundry.runtime, foundry.loop, None)  # type: ignore[arg-type]


def seen(foundry: Foundry, serving: Serving, how: tuple[Calls, Calls]) -> tuple[str, list[dict[str, Any]], set[str]]:
    """All that a contributor's program is sent of a project whose items are called so; its tasks; those of gold."""
    tenant = foundry.tenant()
    dataset = foundry.dataset(tenant, ITEMS, dict.fromkeys(range(GOLDS), "a"))
    foundry.sql("ALTER TABLE item DISABLE TRIGGER USER")
    for n, (item,) in enumerate(foundry.sql("SELECT id FROM item WHERE dataset = %s ORDER BY id", dataset)):
        one = how[0](n) if n < GOLDS else how[1](n)
        foundry.sql(
            "UPDATE item SET ref = %s, metadata = %s, url = %s, body = CASE WHEN %s::text IS NULL THEN body END, "
            "media_type = CASE WHEN %s::text IS NULL THEN media_type ELSE 'image/png' END WHERE id = %s",
            *(one.ref, one.metadata, one.url, one.url, one.url, item),
        )
    foundry.sql("ALTER TABLE item ENABLE TRIGGER USER")
    project = foundry.project(tenant, plan=Plan(0.9, 0.9, 1, 3, 0.3), dataset=dataset)
    gold = {str(row[0]) for row in foundry.sql("SELECT id FROM task WHERE project = %s AND gold", project.id)}
    made = serving.operator().client.post(
        "/api/contributors", json={"people": [{"name": "w"}], "tokens": True, "tenants": [str(tenant)]}
    )
    client = httpx.Client(
        base_url=serving.url, headers={"Authorization": f"Bearer {made.json()['items'][0]['token']}"}, timeout=30
    )
    sent, tasks = "", []
    for _ in range(3):
        page = client.post(f"/api/work/projects/{project.id}/claim")
        again = client.get(f"/api/work/assignments/{page.json()['id']}")
        sent += page.text + again.text
        for one in page.json()["tasks"]:
            tasks.append(one)
            if one["item"]["url"] and "/references" in one["item"]["url"]:
                answer = client.get(one["item"]["url"])
                assert answer.status_code == 503, answer.text
                sent += answer.text + str(answer.headers)
        judgements = [
            {"task": one["task"], "label": {"kind": "choice", "values": ["b"]}, "seconds": 3.0}
            for one in page.json()["tasks"]
        ]
        path = f"/api/work/assignments/{page.json()['id']}/submit"
        sent += client.post(path, json={"fence": page.json()["fence"], "judgements": judgements}).text
    sent += client.get("/api/work/earnings").text + client.get("/api/work/statement").text
    assert any(one["task"] in gold for one in tasks)
    assert not all(one["task"] in gold for one in tasks)
    return sent, tasks, gold


@pytest.mark.parametrize(
    "how", ["a folder", "the beginning of a name", "where it is kept", "a flag", "a leaf deep down"]
)
def test_who_works_reads_neither_names_nor_addresses_nor_metadata_that_tell(
    foundry: Foundry, serving: Serving, how: str
) -> None:
    sent, tasks, _ = seen(foundry, serving, TELL[how])
    for word in ("gold/", "work/", "question", "one.example", "other.example", "is_gold", "expert", "crowd"):
        assert word not in sent, word
    assert {json.dumps(one["item"]["metadata"]) for one in tasks} == {"{}"}
    assert len({one["item"]["ref"] for one in tasks}) == len(tasks), "each has a name of its own, which says nothing"


def test_names_that_say_nothing_are_shown_and_the_instruction_always_is(foundry: Foundry, serving: Serving) -> None:
    plain = called("digit-#", camera="left", instruction="Read it.")
    _, tasks, _ = seen(foundry, serving, (plain, plain))
    assert all(one["item"]["ref"].startswith("digit-") for one in tasks)
    assert tasks[0]["item"]["metadata"] == {"camera": "left", "instruction": "Read it."}
    asked = [called(f"{folder}/#", instruction="Read it.", camera="left") for folder in ("gold", "work")]
    _, tasks, _ = seen(foundry, serving, (asked[0], asked[1]))
    assert {json.dumps(one["item"]["metadata"]) for one in tasks} == {'{"instruction": "Read it."}'}


def test_gold_that_comes_after_its_tasks_is_looked_at_too(foundry: Foundry, serving: Serving) -> None:
    owner = serving.owner("Knowing")
    tenant = UUID(owner.tenant)
    dataset = foundry.dataset(tenant, ITEMS)
    foundry.sql("ALTER TABLE item DISABLE TRIGGER USER")
    foundry.sql(
        "UPDATE item SET ref = CASE WHEN ref ~ '^t[0-9]$' THEN 'known/' ELSE 'new/' END || ref WHERE dataset = %s",
        dataset,
    )
    foundry.sql("ALTER TABLE item ENABLE TRIGGER USER")
    project = foundry.project(tenant, dataset=dataset, launch=False)
    hidden = "SELECT names_tell FROM project WHERE id = %s"
    assert foundry.sql(hidden, project.id) == [(False,)]
    labels = [{"ref": f"known/t{n}", "label": {"kind": "choice", "values": ["a"]}} for n in range(10)]
    made = owner.client.post(f"/api/projects/{project.id}/gold", json={"labels": labels})
    assert made.json() == {"created": 10}
    assert foundry.sql(hidden, project.id) == [(True,)]


def test_where_an_item_is_kept_is_sealed_and_the_seal_holds() -> None:
    key = b"k" * 32

    def signed(url: str, who: str = "person:1") -> str:
        return sign_reference(key, url, media_type="image/png", owner="o", bound_to=who, expires_s=600)

    secret = "https://bucket.example/gold/猫 1.png"
    told = signed(secret)
    assert told.startswith("/references?")
    assert not any(word in told for word in ("bucket", "gold", "png%2F"))
    assert signed(secret) == told
    assert len(signed("https://bucket.example/a")) == len(told), "lengths would tell folders apart"
    query = told.partition("?")[2]
    assert verify_reference(key, query, bound_to="person:1").url == secret
    sealed = query.partition("u=")[2].partition("&")[0]
    for broken in (
        query.replace(sealed, sealed[:-1]),
        query.replace(sealed, "A" * len(sealed)),
        query.replace(sealed, ""),
        query.replace(sealed, "é"),
        query.replace("s=", "s=0"),
    ):
        with pytest.raises(Problem):
            verify_reference(key, broken, bound_to="person:1")
    with pytest.raises(Problem):
        verify_reference(key, query, bound_to="person:2")
