"""The first steps, by the command line alone, on an empty machine: from an organisation to an export that verifies.

Each command says which comes next; the story runs just those.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cupola.app import stage
from cupola.client import Client
from cupola.platform.pg.cluster import Cluster
from tests.conftest import reachable_folder
from tests.shell import Shell
from tests.stories.processes import free_port

pytestmark = pytest.mark.slow
CATS = {f"n{n:02d}.txt": "cat" if n % 3 else "dog" for n in range(12)}
SAYS = {"cat": "It purrs and catches mice.", "dog": "It barks at the postman."}


def told(found: Any, follows: str) -> None:
    """The command that follows is one of those that the last one named."""
    beginnings = [line.split(" --")[0] for line in found["next"]]
    assert any(follows.startswith(re.split(r" [A-Z]{3,}", one)[0]) for one in beginnings), (follows, found["next"])


@pytest.fixture(scope="module")
def folder() -> Any:
    made = reachable_folder("cupola-steps-")
    yield made
    if (made / "data").is_dir():
        Cluster.stop(made / "data", force=True)
        Cluster.destroy(made / "data")


def test_from_an_empty_machine_to_a_certified_export_by_the_command_line_alone(folder: Path) -> None:
    port = free_port()
    notes = folder / "notes"
    notes.mkdir()
    for name, kind in CATS.items():
        (notes / name).write_text(f"{SAYS[kind]} ({name})")
    (folder / "answers.csv").write_text("ref,label\n" + "".join(f"{ref},{kind}\n" for ref, kind in CATS.items()))
    with stage.server(folder / "data", port, folder / "log") as (url, _):
        shell = Shell(folder)
        assert "cupola tenant create" in shell.json("cupola tenant list")["next"][0]

        step = shell.json('cupola tenant create "A team" --owner Rosa@Example.org')
        owner_signs_in(url, step)
        told(step, line := 'cupola fund "A team" 100.00'.replace('"', "'"))
        step = shell.json(f"{line} --currency EUR")
        assert step["balance_minor"] == 10_000
        told(step, "cupola key create")
        step = shell.json("cupola key create --tenant 'A team'")
        assert step["key"].startswith("live_")
        shell.environment["CUPOLA_KEY"] = step["key"]
        told(step, "cupola import")

        step = shell.json("cupola import notes --dataset Notes")
        assert (step["accepted"], step["refused"]) == (12, 0)
        told(step, "cupola project create")
        step = shell.json(
            "cupola project create 'Cats and dogs' --dataset Notes --classes cat,dog --price 0.05 --target 0.72 "
            "--audit-items 8 --guidelines 'Which animal is it?'"
        )
        told(step, "cupola tasks add 'Cats and dogs'")
        pairs = shell.json(
            "cupola project create Pairs --dataset Notes --classes A,B,equal --compare --price 0.05 --reviews 0.03,0.02"
        )
        assert pairs["stages"] == ["draw", "review", "review"]
        assert [one["price_minor"] for one in pairs["offers"]] == [5, 3, 2]
        assert "no money" in shell.run("cupola project launch 'Cats and dogs'").stderr
        step = shell.json("cupola tasks add 'Cats and dogs'")
        assert step["created"] == 12
        [launch] = step["next"]
        estimate = shell.json("cupola project estimate 'Cats and dogs'")
        assert 12 <= estimate["judgements"]["low"] <= estimate["judgements"]["high"]
        told(estimate, "cupola project launch 'Cats and dogs'")
        step = shell.json(launch)  # with the budget that it named
        told(step, "cupola contributor create")
        told(step, "cupola work 'Cats and dogs'")

        paused_and_resumed(shell)
        step = shell.json("cupola contributor create Ada Ben Cyd Dot Eve Fay")
        told(step, "cupola work")
        step = all_settled(shell, [one["token"] for one in step["contributors"]])
        assert step["counts"]["settled"] == 12
        told(step, "cupola release 'Cats and dogs'")
        certified(shell, next(line for line in step["next"] if line.startswith("cupola release")))
        stopped(shell)
        assert shell.run("cupola ledger check").returncode == 0


def paused_and_resumed(shell: Shell) -> None:
    """Each step names the one back; a verb that has no place is refused with the state that it needs."""
    assert "live" in shell.run("cupola project list").stdout
    step = shell.json("cupola project pause 'Cats and dogs'")
    assert step["state"] == "paused"
    told(step, "cupola project resume 'Cats and dogs'")
    refused = shell.run("cupola project pause 'Cats and dogs'")
    assert refused.returncode == 2
    assert "live" in refused.stderr
    told(shell.json("cupola project show 'Cats and dogs'"), "cupola project resume 'Cats and dogs'")
    step = shell.json("cupola project resume 'Cats and dogs'")
    assert step["state"] == "live"
    told(step, "cupola project show 'Cats and dogs'")


def stopped(shell: Shell) -> None:
    step = shell.json("cupola project stop 'Cats and dogs'")
    assert step["state"] == "stopped"
    told(step, "cupola release 'Cats and dogs'")
    assert shell.run("cupola project resume 'Cats and dogs'").returncode == 2


def all_settled(shell: Shell, tokens: list[str]) -> Any:
    """People work and an expert decides what they cannot, until nothing is left; how the project stands then."""
    earned = 0
    for turn in range(12):
        token = tokens[turn % len(tokens)]
        done = shell.json(f"cupola work --token {token} --answers answers.csv --seconds 4")
        earned += done["paid_minor"].get("EUR", 0)
        step = shell.json("cupola project show 'Cats and dogs' --wait-s 2")
        if step["counts"]["escalated"]:
            told(step, "cupola adjudicate 'Cats and dogs'")
            told(
                shell.json("cupola adjudicate 'Cats and dogs' --answers answers.csv"),
                "cupola project show 'Cats and dogs'",
            )
            step = shell.json("cupola project show 'Cats and dogs'")
        if step["counts"]["settled"] == 12:
            assert step["spent_minor"] >= earned > 0, "what people earned, and what stands beside it"
            return step
    raise AssertionError(f"still not settled: {step['counts']}")


def owner_signs_in(url: str, made: Any) -> None:
    """The owner's link sets a password; they own both worlds and may invite. Nothing of this is the operator's."""
    assert made["owner"]["email"] == "rosa@example.org"
    assert made["owner"]["link"].startswith(f"{url}/join?")
    client = Client(url)
    body = {"name": "Rosa", "email": "rosa@example.org", "password": "correct horse battery"}
    client.post("/api/invitations/accept", {**body, "token": made["owner"]["link"].split("token=")[1]})
    session = client.sign_in("rosa@example.org", "correct horse battery")
    assert [(one["world"], one["role"]) for one in session["tenants"]] == [("live", "owner"), ("test", "owner")]
    client.act_for(made["live"]["id"])
    assert "token=" in client.post("/api/invitations", {"role": "manager"})["link"]


def certified(shell: Shell, release: str) -> None:
    """From settled labels to files that prove their own accuracy."""
    step = shell.json(release)
    told(step, f"cupola audit {step['id']}")
    step = shell.json(f"cupola audit {step['id']} --answers answers.csv")
    assert step["judged"] == 8
    told(step, line := f"cupola certify {step['release']}")
    step = shell.json(line)
    assert step["state"] in ("certified", "failed"), "a small audit proves little, and says so"
    told(step, f"cupola export {step['id']}")
    lost = shell.run("cupola export nothing --to lost")
    assert (lost.returncode, "no release 'nothing'" in lost.stderr) == (2, True), lost.stderr
    step = shell.json(f"cupola export 'Cats and dogs/{step['name']}' --format jsonl --to out")  # by its name too
    told(step, "cupola verify out")
    found = shell.run("cupola verify out")
    assert found.returncode == 0, found.stdout
    assert "Everything holds" in found.stdout


def test_what_cannot_be_done_is_refused_with_what_to_do(folder: Path) -> None:
    shell = Shell(folder)
    for line, code, says in (
        ("cupola fund Nobody 10", 2, "cupola tenant list"),
        ("cupola key create --tenant Nobody", 2, "cupola tenant list"),
        ("cupola fund Nobody ten", 2, "no amount"),
        ("cupola fund Nobody 0.001", 2, "at most 2 digits"),
        ("cupola tenant create X --owner nobody", 2, "e-mail address"),
        ("cupola work --token x --answers missing.csv", 2, "missing.csv"),
        ("cupola work --token x", 2, "--answers FILE"),
        ("cupola project create P --dataset D --price 1 --key k", 2, "exactly one of"),
        ("cupola project create P --dataset D --price 1 --key k --text --reviews 0.02,x", 2, "no amount"),
    ):
        done = shell.run(line)
        assert (done.returncode, says in done.stderr) == (code, True), (line, done.returncode, done.stderr)
