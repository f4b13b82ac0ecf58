"""The main job, from a folder of images to a certified, paid-for data set, in front of your eyes.

The contributors are programs with honest, differing error rates; everything they do goes through the public HTTP API.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cupola.app import moving, stage
from cupola.app.demo_cast import (
    DIGIT_GUIDELINES,
    PARITY_GUIDELINES,
    Job,
    boxes_job,
    cast,
    digits,
)
from cupola.client import Client
from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem
from cupola.kernel.money import in_words, legs
from cupola.kernel.terminal import Plain
from cupola.platform.pg.cluster import Cluster
from cupola.releases import verifying

console = Plain()

GOLD = 60
PRICE_MINOR = 5
BUDGET_MINOR = 400_000  # play money; half of it stays free for whoever tries the wizard
AUDIT_ITEMS = 1_000
TARGET = 0.98
FIXED_VOTES = 5


def run_demo(folder: Path, port: int, *, exit_when_done: bool, seed: int, logins: Path | None) -> int:
    """Run it; returns the exit code: 0 when the ledger and the certificate hold."""
    began = clock.monotonic_s()
    stage.leave_in_order()
    if (folder / "postgres").exists():
        Cluster.destroy(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    console.rule("Cupola: from a folder of files to a certified, paid-for data set")
    console.print("Starting Postgres, the server and a worker …")
    with stage.server(folder, port, folder / "server.log") as (url, token):
        console.print(f"Up after {clock.monotonic_s() - began:.1f} s at {url}", highlight=False)
        play = _Play(url, token, folder, random.Random(seed))
        code = play.run()
        console.print(f"The whole took {clock.monotonic_s() - began:.0f} s.", highlight=False)
        play.say_logins(logins)
        if not exit_when_done:
            console.print("\nThe server stays up. Sign in and look around; Ctrl+C ends it.")
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                console.print("Stopping …")
    return code


class _Play:
    def __init__(self, url: str, token: str, folder: Path, rng: random.Random) -> None:
        self.url, self.folder, self.rng = url, folder, rng
        self.scene = stage.Scene(url, token)
        self.digits = digits()
        self.people = cast(rng)
        self.logins: dict[str, stage.Login] = {}

    def run(self) -> int:
        scene = self.scene
        self.aurora = scene.organisation("Aurora Vision")
        self.borealis = scene.organisation("Borealis AI")
        for tenant in (self.aurora, self.borealis):
            scene.fund(tenant, BUDGET_MINOR)
        key = scene.key(self.aurora, "demo")
        rival = scene.key(self.borealis, "demo")
        self.logins = {
            "operator": scene.operator_login,
            "requester": scene.member(self.aurora, "owner", "Rosa Requester"),
            "adjudicator": scene.member(self.aurora, "reviewer", "Ada Adjudicator"),
            "contributor": scene.contributor("Coco Contributor"),
        }
        expert = Client(self.url)
        expert.sign_in(self.logins["adjudicator"].email, self.logins["adjudicator"].password)
        expert.act_for(self.aurora)
        crowd = scene.crowd([person.name for person in self.people])
        careless = sum(person.name.startswith("careless") for person in self.people)
        console.print(
            f"Two competing tenants, Aurora Vision and Borealis AI. {len(crowd)} contributors, who are programs with "
            f"honest, "
            f"differing error rates: {len(crowd) - careless - 1} careful (95-99 % right), {careless} careless (72-88 "
            f"%), "
            "1 spammer who does not look. The expert's answers are the known truth.",
            highlight=False,
        )
        with Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as bars:
            refs = list(self.digits.images)
            project = self._prepare(key, self._digits_job("Handwritten digits", refs, GOLD), bars)
            other = self._prepare(rival, self._digits_job("Digits, even or odd", refs[:300], 20, parity=True), bars)
            self._label(key, rival, project, other, crowd, expert, bars)
            release = self._release(key, expert, project, bars)
            files = self._export(key, project, release["id"], bars)
            self._leave_work(key, crowd, bars)
        return self._report(key, project, release, files, crowd)

    # ------------------------------------------------------------ the steps
    def _prepare(self, client: Client, job: Job, bars: Progress) -> str:
        """Import, project, money, launch: what a requester does. Returns the project."""
        dataset = client.post("/api/datasets", {"name": job.name, "licence": "BSD-3-Clause"})
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / "images.zip"
            with zipfile.ZipFile(archive, "w") as pack:
                for ref, image in job.images.items():
                    pack.writestr(ref, image)
            bar = bars.add_task(f"import: {job.name}", total=len(job.images))
            sent = client.upload(f"/api/datasets/{dataset['id']}/uploads?name=images.zip", archive)
        source = {"source": {"type": "upload", "upload": sent["upload"]}}
        state = client.post(f"/api/datasets/{dataset['id']}/imports", source)
        while state["state"] not in ("done", "failed"):
            clock.sleep(0.1)
            state = client.get(f"/api/imports/{state['id']}")
            bars.update(bar, completed=state["accepted"])
        if state["accepted"] != len(job.images):
            raise Problem(Kind.UNAVAILABLE, "demo-import", f"The import ended {state['state']}: {state}")
        ontology = client.post("/api/ontologies", {"name": job.name, "spec": job.spec, "guidelines": job.guidelines})
        project = client.post(
            "/api/projects",
            {
                "name": job.name,
                "dataset": dataset["id"],
                "ontology_version": ontology["version_id"],
                "plan": {
                    "target_accuracy": TARGET,
                    "confidence": 0.95,
                    "min_judgements": 1,
                    "max_judgements": job.max_judgements,
                    "gold_rate": 0.05 if job.gold else 0.0,
                    "audit_items": AUDIT_ITEMS,
                },
                "offer": {
                    "price_minor": PRICE_MINOR,
                    "currency": "EUR",
                    "estimate_median_s": 9,
                    "estimate_p75_s": 13,
                },
                "page_size": job.page_size,
            },
        )["id"]
        moving.add_tasks(client, project, {}, None)
        if job.gold:
            labels = [{"ref": ref, "label": label} for ref, label in sorted(job.gold.items())]
            client.post(f"/api/projects/{project}/gold", {"labels": labels})
        amount_minor = self._at_most_minor(client.get(f"/api/projects/{project}")["offer"], job)
        client.post(f"/api/projects/{project}/allot", {"amount_minor": amount_minor, "currency": "EUR"})
        client.post(f"/api/projects/{project}/launch")
        return str(project)

    def _at_most_minor(self, offer: dict[str, Any], job: Job) -> int:
        """What the job costs if every task takes all its judgements and everybody meets every gold.

        On a busy machine decisions come late and more is asked; a job that runs out of money never ends.
        """
        judgements = (len(job.images) - len(job.gold)) * job.max_judgements + len(job.gold) * len(self.people)
        return judgements * legs(offer["price_minor"], offer["fee_bp"], offer["insurance_bp"]).total_minor

    def _digits_job(self, name: str, refs: list[str], gold: int, *, parity: bool = False, votes: int = 5) -> Job:
        classes = ["even", "odd"] if parity else [str(d) for d in range(10)]
        known = self.rng.sample(refs, gold)
        return Job(
            name,
            {ref: self.digits.images[ref] for ref in refs},
            {"kind": "choice", "classes": [{"name": one} for one in classes]},
            PARITY_GUIDELINES if parity else DIGIT_GUIDELINES,
            {ref: self._label_of(ref, parity) for ref in known},
            max_judgements=votes,
        )

    def _leave_work(self, key: Client, crowd: list[stage.Worker], bars: Progress) -> None:
        """Something for a person to do in the browser, in each role."""
        refs = list(self.digits.images)
        self._prepare(key, self._digits_job("Try it: which digit?", refs[:60], 0), bars)
        self._prepare(key, boxes_job(self.digits, self.rng), bars)
        # two careless people who disagree: what they differ in waits for an adjudicator
        doubtful = self._prepare(key, self._digits_job("Try it: doubtful digits", refs[60:100], 0, votes=2), bars)
        hasty = [n for n, person in enumerate(self.people) if person.name.startswith("careless")][:2]
        bar = bars.add_task("leave doubtful tasks", total=80)
        for n in hasty:
            rng = random.Random(n)
            client = Client(self.url, crowd[n].token)

            def judge(task: dict[str, Any], n: int = n, rng: random.Random = rng) -> tuple[dict[str, Any], float]:
                said = self.people[n].say(self.digits.truth[task["item"]["ref"]], 0.9, rng)
                return {"kind": "choice", "values": [str(said)]}, 6.0

            for _ in range(100):
                done = stage.work_page(client, doubtful, judge)
                bars.advance(bar, done)
                counts = key.get(f"/api/projects/{doubtful}")["counts"]
                if not done and counts["open"] == 0:
                    break
                clock.sleep(0.2)
            client.close()
        bars.update(bar, total=bars.tasks[bar].completed)

    def _label_of(self, ref: str, parity: bool) -> dict[str, Any]:
        digit = self.digits.truth[ref]
        return {"kind": "choice", "values": [("even", "odd")[digit % 2] if parity else str(digit)]}

    def _label(
        self,
        key: Client,
        rival: Client,
        project: str,
        other: str,
        crowd: list[stage.Worker],
        expert: Client,
        bars: Progress,
    ) -> None:
        total = key.get(f"/api/projects/{project}")["counts"]["total"]
        settled = bars.add_task("label, settle: Aurora", total=total)
        settled_other = bars.add_task(
            "label, settle: Borealis", total=rival.get(f"/api/projects/{other}")["counts"]["total"]
        )
        experts = bars.add_task("adjudicate doubtful", total=None)
        done = threading.Event()

        def person(n: int) -> None:
            rng = random.Random(self.rng.random() + n)
            character = self.people[n]
            client = Client(self.url, crowd[n].token)

            def judge(task: dict[str, Any]) -> tuple[dict[str, Any], float]:
                ref = task["item"]["ref"]
                said = character.say(self.digits.truth[ref], self.digits.hard[ref], rng)
                value = ("even", "odd")[said % 2] if names == ["even", "odd"] else str(said)
                seconds = 2.0 if character.blind else rng.lognormvariate(2.2, 0.35)
                return {"kind": "choice", "values": [value]}, round(seconds, 1)

            names: list[str] = []
            while not done.is_set():
                worked = 0
                for place, classes in ((project, []), (other, ["even", "odd"])):
                    names = classes
                    worked += stage.work_page(client, place, judge)
                if worked == 0:
                    done.wait(0.3)

        def watch() -> None:
            while not done.is_set():
                view = key.get(f"/api/projects/{project}")
                second = rival.get(f"/api/projects/{other}")
                bars.update(settled, completed=view["counts"]["settled"])
                bars.update(settled_other, completed=second["counts"]["settled"])
                if view["counts"]["escalated"]:
                    stage.adjudicate(
                        expert, project, lambda ref: self._label_of(ref, False), lambda: bars.advance(experts)
                    )
                if second["counts"]["escalated"]:
                    stage.adjudicate(rival, other, lambda ref: self._label_of(ref, True), lambda: bars.advance(experts))
                waiting = [view["counts"][s] + second["counts"][s] for s in ("open", "collecting", "escalated")]
                if not any(waiting):
                    done.set()
                    return
                clock.sleep(0.3)

        def one(n: int) -> None:
            try:
                watch() if n == len(crowd) else person(n)
            finally:
                done.set()  # whoever fails stops the others

        stage.in_threads(len(crowd) + 1, one)
        bars.update(experts, total=bars.tasks[experts].completed)

    def _release(self, key: Client, expert: Client, project: str, bars: Progress) -> dict[str, Any]:
        plan = {"items": AUDIT_ITEMS, "confidence": 0.95, "target_accuracy": TARGET}
        made = stage.release(key, project, "digits-1", "BSD-3-Clause", plan)
        bar = bars.add_task("audit, blind", total=made["audit"]["drawn"])
        stage.audit(expert, made["id"], lambda ref: self._label_of(ref, False), lambda: bars.advance(bar))
        certified: dict[str, Any] = key.post(f"/api/releases/{made['id']}/certify")
        return certified

    def _export(self, key: Client, project: str, release: str, bars: Progress) -> list[Path]:
        kind = key.get(f"/api/projects/{project}")["kind"]
        formats = [one["name"] for one in key.get("/api/formats")["formats"] if kind in one["kinds"]]
        bar = bars.add_task("export", total=len(formats))
        files: list[Path] = []
        for one in formats:
            files += moving.export_release(key, release, one, self.folder / "exports", None)
            bars.advance(bar)
        return files

    # ------------------------------------------------------------ what came of it
    def _report(
        self, key: Client, project: str, release: dict[str, Any], files: list[Path], crowd: list[stage.Worker]
    ) -> int:
        view = key.get(f"/api/projects/{project}")
        proof = next(file for file in files if file.name.endswith("-evidence.zip"))
        checked = verifying.verify(proof)
        right = total = experts = 0
        with zipfile.ZipFile(proof) as archive:
            for line in archive.read("rows.jsonl").splitlines():
                row = json.loads(line)
                total += 1
                right += row["label"]["values"] == [str(self.digits.truth[row["ref"]])]
                experts += row["how"] == "adjudicated"
        paid = judgements = 0
        seconds = 0.0
        for worker in crowd:
            client = Client(self.url, worker.token)
            earned = client.get("/api/work/earnings")
            paid += sum(one["total_minor"] for one in earned["by_currency"])
            judgements += sum(one["judgements"] for one in earned["by_currency"])
            seconds += sum(one["seconds"] for one in earned["by_currency"])
            client.close()
        rules = self._ledger()
        fixed = FIXED_VOTES * view["counts"]["total"]
        certificate = release["certificate"]
        table = Table(title="Handwritten digits, Aurora Vision", show_header=False, title_justify="left")
        table.add_row("tasks", f"{view['counts']['total']:,} + {view['counts']['gold']} gold")
        table.add_row(
            "judgements",
            f"{view['judgements']:,} ({view['judgements'] / max(view['counts']['total'], 1):.2f} a task), "
            f"against {fixed:,} of a fixed {FIXED_VOTES}-vote plan: {fixed / view['judgements']:.1f} times fewer",
        )
        table.add_row("settled by the expert", f"{experts:,} doubtful tasks, {100 * experts / total:.1f} %")
        reached = "reached" if certificate["reached"] else "not reached"
        table.add_row(
            "certified accuracy",
            f">= {_floor(certificate['accuracy_lower_bound'])} % at {100 * certificate['confidence']:g} % "
            f"({certificate['errors']} errors in {certificate['n']} audited; target {100 * TARGET:g} % {reached})",
        )
        table.add_row(
            "true accuracy", f"{100 * right / total:.2f} % (the demo knows: {total - right} of {total:,} wrong)"
        )
        table.add_row("verify", "everything holds" if not checked.wrong else "; ".join(checked.wrong))
        table.add_row("paid to contributors", f"{in_words(paid, 'EUR')} for {judgements:,} judgements of both tenants")
        table.add_row("hourly rate", f"{in_words(round(paid * 3600 / max(seconds, 1)), 'EUR')} an hour of counted time")
        table.add_row("ledger", rules)
        table.add_row("exports", ", ".join(sorted(file.name for file in files)))
        console.print(table)
        held = certificate["accuracy_lower_bound"] <= right / total and not checked.wrong and rules.endswith("hold")
        if not held:
            console.print("Something does not hold; see the table.", style="bold red")
        return 0 if held else 3

    def _ledger(self) -> str:
        found = self.scene.operator.get("/api/ledger/check")
        if found["violations"]:
            return f"{len(found['violations'])} offences"
        return f"{found['transfers']:,} transfers, {found['accounts']} accounts: L1-L12 hold"

    def say_logins(self, file: Path | None) -> None:
        table = Table(title=f"Sign in at {self.url}", title_justify="left")
        for column in ("role", "e-mail", "password"):
            table.add_column(column)
        for role, login in self.logins.items():
            table.add_row(role, login.email, login.password)
        console.print(table)
        if file is not None:
            known = {role: {"email": one.email, "password": one.password} for role, one in self.logins.items()}
            file.write_text(json.dumps({"url": self.url, **known}, indent=1))


def _floor(share: float) -> str:
    """A lower bound in per cent, rounded down: a claim is never rounded in its own favour."""
    return f"{math.floor(share * 10_000 + 1e-9) / 100:.2f}"
