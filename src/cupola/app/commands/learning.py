"""`cupola model …`: models that learn from a project, through the HTTP API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.table import Column, Table

from cupola.app import moving
from cupola.app.commands.common import EXIT_FAILED, LOCAL, ApiKey, Json, Url, err, out, quoted, show, tell
from cupola.client import Client
from cupola.kernel import clock
from cupola.kernel.errors import invalid
from cupola.models.card import read_card, write_card

POLL_S = 1.0
ID_CHARS = 36
MOST_WAITED_S = 60.0  # for a draw, which is a job among others
app = App(name="model", help="Models that learn from what people settle.")


@app.command(name="fit")
def fit(
    *,
    key: ApiKey,
    project: str,
    model: str | None = None,
    seed: int = 1,
    features: str | None = None,
    like: str | None = None,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Fit a model on what people settled in a project, and let it say what it thinks of every task.

    Parameters
    ----------
    project
        The project's name or id.
    model
        The model's name (default: the project's).
    seed
        The same labels and the same seed give the same file.
    features
        What is read of an item: JSON, as on a card (default: embeddings where there are some, else words or pixels).
    like
        The id of a fit to do again: the same labels, seed and features.
    wait
        Wait until it has ended.
    """
    client = Client(url, key)
    body: dict[str, Any] = {"verb": "fit"}
    if like is not None:
        body["like"] = like
    else:
        body |= {"seed": seed}
        body |= {"model": model} if model else {}
        body |= {"features": _json(features, "--features")} if features else {}
    return _ran(client, project, body, wait=wait, json_=json_)


@app.command(name="ask")
def ask(
    model: str,
    *,
    key: ApiKey,
    project: str,
    version: int | None = None,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Let a model say what it thinks of every task of a project.

    Parameters
    ----------
    model
        The model's name.
    project
        The project's name or id.
    version
        Its version (default: the newest).
    wait
        Wait until it has ended.
    """
    body: dict[str, Any] = {"verb": "predict", "model": model, **({"version": version} if version else {})}
    return _ran(Client(url, key), project, body, wait=wait, json_=json_)


def _ids(head: str) -> Column:
    """A column of ids, which other commands are given: what is cut off names nothing."""
    return Column(head, no_wrap=True, overflow="ignore", min_width=ID_CHARS)


def _of_project(client: Client, project: str, what: str) -> list[dict[str, Any]]:
    """All of a project's rows of a kind, newest first."""
    found = moving.named(client, "/api/projects", project)
    return list(client.every(f"/api/projects/{found['id']}/{what}"))


def _ran(client: Client, project: str, body: dict[str, Any], *, wait: bool, json_: bool) -> int:
    found = moving.named(client, "/api/projects", project)
    run = client.post(f"/api/projects/{found['id']}/learning-runs", body)
    told = ""
    while wait and run["state"] in ("waiting", "running"):
        clock.sleep(POLL_S)
        run = client.get(f"/api/learning-runs/{run['id']}")
        now = f"{run['step'] or run['state']} {run['tasks_done'] or ''}".strip()
        if now != told and not json_:
            err.print(f"{now} …", highlight=False, markup=False)
            told = now
    if run["state"] == "failed":
        show(run, json_, f"The run failed: {run['error']}")
        return EXIT_FAILED
    tell(run, json_, _told(run), f"cupola model show {quoted(run['model_name'])}")
    return 0


def _told(run: dict[str, Any]) -> str:
    if run["state"] != "done":
        return f"Run {run['id']} of {run['model_name']} is {run['state']}."
    lines = [f"{run['model_name']}, version {run['version']}: {run['opinions']} opinions on {run['tasks_done']} tasks."]
    if run["metrics"]:
        right = run["metrics"]["accuracy"]
        lines.append(
            f"Of {right['n']} settled tasks it was right on {right['value']:.1%} without having seen them "
            f"(95 %: {right['low']:.1%} to {right['high']:.1%}; always the most frequent class: "
            f"{run['metrics']['majority']:.1%})."
        )
    return "\n".join(lines)


@app.command(name="list")
def list_(*, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """List the models of your organisation."""
    rows = list(Client(url, key).every("/api/models"))
    if json_:
        show({"models": rows}, True, "")
        return
    table = Table("Model", "Source", "Versions")
    for row in rows:
        table.add_row(row["name"], row["source"], str(row["versions"]))
    out.print(table if rows else "No model yet. cupola model fit --project NAME makes one.")


@app.command(name="show")
def show_(model: str, *, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """Show a model's versions.

    Parameters
    ----------
    model
        The model's name or id.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/models", model)
    rows = list(client.every(f"/api/models/{found['id']}/versions"))
    if json_:
        show({**found, "list": rows}, True, "")
        return
    table = Table("Version", "Features", "Classes", "Size", "SHA-256")
    for row in rows:
        card = row["card"]
        size = f"{row['size_bytes'] / 1024:,.0f} kB"
        features = card["features"]["provider"]
        table.add_row(str(row["version"]), features, str(len(card["classes"])), size, row["sha256"][:16])
    out.print(f"{found['name']} ({found['source']})", highlight=False, markup=False)
    out.print(table)


@app.command(name="runs")
def runs(*, key: ApiKey, project: str, url: Url = LOCAL, json_: Json = False) -> None:
    """List a project's runs, newest first, side by side.

    Parameters
    ----------
    project
        The project's name or id.
    """
    rows = _of_project(Client(url, key), project, "learning-runs")
    if json_:
        show({"runs": rows}, True, "")
        return
    table = Table(_ids("Run"), "Model", "State", "Labels", "Right (95 %)", "Opinions", "CPU")
    for row in rows:
        right = (row["metrics"] or {}).get("accuracy")
        share = f"{right['value']:.1%} ({right['low']:.1%}-{right['high']:.1%})" if right else "-"
        name = f"{row['model_name']} {row['version'] or ''}".strip()
        state = row["state"] if not row["error"] else f"{row['state']}: {row['error']}"
        table.add_row(row["id"], name, state, str(row["labels"] or "-"), share, str(row["opinions"]),
                      f"{row['cpu_s']:.1f} s")  # fmt: skip
    out.print(table if rows else "No run yet. cupola model fit --project NAME begins one.")


@app.command(name="cancel")
def cancel(run: str, *, key: ApiKey, url: Url = LOCAL, json_: Json = False) -> None:
    """End a run; what it said already stays.

    Parameters
    ----------
    run
        The run's id.
    """
    ended = Client(url, key).post(f"/api/learning-runs/{run}/cancel")
    show(ended, json_, f"Run {ended['id']} is {ended['state']}.")


@app.command(name="select")
def select(
    model: str | None = None,
    *,
    key: ApiKey,
    project: str,
    version: int | None = None,
    floor: float = 0.2,
    seed: int = 1,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Ask people next about what a model is least sure of.

    Parameters
    ----------
    project
        The project's name or id.
    model
        The model's name (default: the project's).
    version
        Its version (default: the newest).
    floor
        The share that is drawn at random all the same.
    seed
        Of that draw.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    body: dict[str, Any] = {"model": model or found["name"], "floor": floor, "seed": seed}
    done = client.post(f"/api/projects/{found['id']}/selection", body | ({"version": version} if version else {}))
    show(done, json_, f"{done['tasks']} tasks have changed places, {done['floor']} of them drawn at random.")


@app.command(name="accept")
def accept(
    model: str | None = None,
    *,
    key: ApiKey,
    project: str,
    limit: float,
    version: int | None = None,
    sample: int = 300,
    by: Annotated[Literal["experts", "crowd"], Parameter(name="--by")] = "experts",
    slice_by: str | None = None,
    later: Annotated[bool, Parameter(negative="")] = False,
    url: Url = LOCAL,
    json_: Json = False,
) -> int:
    """Let a model settle alone what a certificate will cover: people settle a random sample first.

    Parameters
    ----------
    project
        The project's name or id.
    limit
        Of the tasks that nobody has begun, the share that may be settled wrongly: 0.03.
    model
        The model's name (default: the project's).
    version
        Its version (default: the newest).
    sample
        How many tasks people settle first, of each slice.
    by
        Who settles them.
    slice_by
        A column of the metadata: each of its values has a sample and a threshold of its own.
    later
        Tasks that come after the draw too, under the watch alone.
    """
    client = Client(url, key)
    found = moving.named(client, "/api/projects", project)
    body: dict[str, Any] = {"model": model or found["name"], "limit": limit, "sample": sample, "judged_by": by}
    body |= {
        "later": later,
        **({"version": version} if version else {}),
        **({"slice_by": slice_by} if slice_by else {}),
    }
    made = client.post(f"/api/projects/{found['id']}/auto-accepts", body)
    until = clock.monotonic_s() + MOST_WAITED_S
    while made["state"] == "drawing" and clock.monotonic_s() < until:
        clock.sleep(POLL_S)
        made = client.get(f"/api/auto-accepts/{made['id']}")
    if made["state"] == "off":
        show(made, json_, f"Nothing is drawn: {made['why']}")
        return EXIT_FAILED
    drawn = f"{made['sample']} tasks are drawn" if made["state"] != "drawing" else "The sample is being drawn"
    tell(made, json_, f"{drawn}; people settle them first.", f"cupola model accepts --project {quoted(project)}")
    return 0


@app.command(name="accepts")
def accepts(*, key: ApiKey, project: str, url: Url = LOCAL, json_: Json = False) -> None:
    """Show how models stand that may settle alone in a project, newest first.

    Parameters
    ----------
    project
        The project's name or id.
    """
    rows = _of_project(Client(url, key), project, "auto-accepts")
    if json_:
        show({"auto_accepts": rows}, True, "")
        return
    table = Table(_ids("Id"), "Model", "State", "Limit", "Sample", "Settled", "Watched", "Wrong")
    for row in rows:
        state = row["state"] if not row["why"] else f"{row['state']}: {row['why']}"
        table.add_row(row["id"], f"{row['model_name']} {row['version']}", state, f"{row['limit']:.1%}",
                      f"{row['sample_settled']}/{row['sample']}", str(row["settled"]),
                      f"{row['watched_settled']}/{row['watched']}", str(row["watched_wrong"]))  # fmt: skip
    out.print(table if rows else "None yet. cupola model accept --project NAME --limit 0.03 asks for one.")


@app.command(name="off")
def off(
    auto_accept: str,
    *,
    key: ApiKey,
    reopen: Annotated[bool, Parameter(negative="")] = False,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Switch a model that settles alone off.

    Parameters
    ----------
    auto_accept
        Its id, as `cupola model accepts` shows it.
    reopen
        Give what it settled back to people, too.
    """
    client = Client(url, key)
    ended = client.get(f"/api/auto-accepts/{auto_accept}")
    if ended["state"] in ("drawing", "calibrating", "on"):
        ended = client.post(f"/api/auto-accepts/{auto_accept}/off")
    back = client.post(f"/api/auto-accepts/{auto_accept}/reopen")["tasks"] if reopen else 0
    show({**ended, "given_back": back}, json_, f"It is {ended['state']}; {back} tasks went back to people.")


@app.command(name="bring")
def bring(
    file: Path,
    *,
    key: ApiKey,
    model: str,
    card: Path,
    url: Url = LOCAL,
    json_: Json = False,
) -> None:
    """Bring a model of your own: an ONNX file and its card. It is opened in a closed process before it is kept.

    Parameters
    ----------
    file
        The ONNX file.
    model
        The model's name; it is made when there is none.
    card
        A JSON file: its classes, and what it reads of an item.
    """
    text = write_card(read_card(_bytes(card, "--card")))
    content = _bytes(file, "file")
    client = Client(url, key)
    known = [one for one in client.every("/api/models") if model in (one["name"], one["id"])]
    found = known[0] if known else client.post("/api/models", {"name": model})
    made = client.send_bytes(f"/api/models/{found['id']}/versions", content, card=text)
    tell(made, json_, f"{found['name']}, version {made['version']} ({made['size_bytes']:,} bytes).",
         f"cupola model ask {quoted(found['name'])} --project …")  # fmt: skip


@app.command(name="export")
def export(
    model: str, folder: Path, *, key: ApiKey, version: int | None = None, url: Url = LOCAL, json_: Json = False
) -> None:
    """Write a version's ONNX file and its card into a folder.

    Parameters
    ----------
    model
        The model's name or id.
    folder
        Where to; it is made if there is none.
    version
        Which (default: the newest).
    """
    client = Client(url, key)
    found = moving.named(client, "/api/models", model)
    rows = [one for one in client.every(f"/api/models/{found['id']}/versions") if version in (None, one["version"])]
    if not rows:
        raise invalid("version-unknown", f"{found['name']} has no such version.", place="--version",
                      remedy="cupola model show lists them.")  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "model.onnx"
    client.download(f"/api/models/{found['id']}/versions/{rows[0]['version']}/file", target)
    (folder / "card.json").write_text(json.dumps(rows[0]["card"], ensure_ascii=False, indent=2) + "\n", "utf-8")
    tell({"file": str(target), "card": str(folder / "card.json"), "version": rows[0]["version"]}, json_,
         f"{target} and {folder / 'card.json'} (version {rows[0]['version']}).",
         f"cupola model bring {quoted(str(target))} --card {quoted(f'{folder}/card.json')} --model NAME")  # fmt: skip


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise invalid("json-malformed", f"This is no JSON: {error}.", place=place) from error


def _bytes(path: Path, place: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise invalid("file-unreadable", f"{path}: {error.strerror or error}.", place=place) from error
