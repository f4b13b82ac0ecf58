"""The refinery's numerics: what they cost and what they find. `python -m bench.refine [--peers]`.

CPU seconds of one thread, the least of three runs. Data: the corpora with labelled pollution under CUPOLA_TEST_DATA
(default ../shared/data), found by kind. With --peers datasketch, rensa, text-dedup and datatrove make the same bands
of the same documents in an environment of their own (made with pip under bench/out on first use). Writes
bench/out/refine.json.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from cupola.corpus import bytemodel, leakage, linear, pii
from cupola.corpus.language import languages
from cupola.corpus.near import Removals, duplicates
from cupola.corpus.profile import profile, words_of
from cupola.corpus.shingles import keys_of

OUT = Path(__file__).parents[1] / "out"
DATA = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "corpus"
PEERS = ("datasketch==2.0.0", "rensa==0.5.0", "text-dedup==0.4.0", "datatrove==0.10.1", "tokenizers", "spacy", "nltk",
         "xxhash<4")  # fmt: skip
# The names of the forms in the truth's spans.
PII = {
    "CREDIT_CARD": "card", "CARD": "card", "US_SSN": "us_ssn", "IP_ADDRESS": "ip", "EMAIL_ADDRESS": "email",
    "EMAIL": "email", "email": "email", "PHONE_NUMBER": "phone", "MOBILE": "phone", "IBAN_CODE": "iban", "ID": "cn_id",
    "aws_access_key": "key", "bearer_token": "key", "connection_url": "key", "password": "key",
}  # fmt: skip
out = Console(width=110)


def rows_of(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name) as file:
        return [json.loads(line) for line in file]


def texts_of(rows: list[dict[str, Any]]) -> Any:
    return pa.array([row["text"] for row in rows], pa.large_string())


def cpu_s(work: Callable[[], Any], times: int = 3) -> float:
    """The least CPU seconds of this thread."""
    taken = []
    for _ in range(times):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return min(taken)


def arrays(found: Any) -> tuple[Any, Any]:
    bands = found.field("bands").flatten().to_numpy().reshape(-1, 28)
    return np.frombuffer(found.field("hash").buffers()[1], np.uint64).reshape(-1, 2), bands


def removed(texts: Any) -> Removals:
    hashes, bands = arrays(profile(texts))
    ids = np.arange(len(texts))
    return duplicates(hashes, bands, np.zeros(len(texts)), ids, lambda rows: texts.take(pa.array(rows)))


def speed(corpora: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    items = [json.loads(line)["question"] for line in (DATA / "benchmarks" / "gsm8k_test.jsonl").open()]
    runs = leakage.benchmark(items)
    for name, rows in corpora.items():
        texts = texts_of(rows)
        megabytes = sum(len(row["text"].encode()) for row in rows) / 1e6
        clean = [row["text"].encode() for row in rows if row["kind"] == "clean"][:600]
        model = bytemodel.fit(clean)
        profile(texts[:20], model=model, benchmark=runs)  # compiled, or read from disk

        def bands(texts: Any = texts) -> None:
            words = words_of(texts)
            keys_of(words.hashes, words.chars, words.ends)

        def alone(texts: Any = texts) -> None:
            words, n = words_of(texts), len(texts)
            ids = np.arange(n)
            keys = keys_of(words.hashes, words.chars, words.ends)
            apart = np.stack((ids, ids), 1).astype(np.uint64)  # no two exact copies: all go the way of near ones
            duplicates(apart, keys, np.zeros(n), ids, lambda wanted: texts.take(pa.array(wanted)))

        for what, work in (
            ("words and bands alone", bands),
            ("near copies out alone", alone),
            ("all signals but the model", lambda texts=texts: profile(texts, benchmark=runs)),
            ("all signals", lambda texts=texts, model=model: profile(texts, model=model, benchmark=runs)),
            ("profile and copies out", lambda texts=texts: removed(texts)),
        ):
            taken = cpu_s(work)
            figures[f"{name}: {what}"] = {"mb_per_cpu_s": megabytes / taken, "documents_per_cpu_s": len(rows) / taken}
        figures[f"{name}: fitting the model"] = {"cpu_s": cpu_s(lambda clean=clean: bytemodel.fit(clean), 1)}
    return figures


def copies(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Pairs of 5-word Jaccard >= .7: one of them goes; of what goes, how much is in the exact list of pairs."""
    with (DATA / f"{name}_near_pairs.csv").open() as file:
        pairs = {frozenset((row["a"], row["b"])): float(row["jaccard5"]) for row in csv.DictReader(file)}
    gone = removed(texts_of(rows))
    ids = [row["id"] for row in rows]
    went = {ids[row] for row in gone.row.tolist()}
    close = [pair for pair, similarity in pairs.items() if similarity >= 0.7]
    true = [frozenset((ids[a], ids[b])) in pairs for a, b in zip(gone.row.tolist(), gone.keeper.tolist(), strict=True)]
    return {"pairs": len(close), "recall": float(np.mean([bool(pair & went) for pair in close])),
            "removed": len(gone), "precision": float(np.mean(true))}  # fmt: skip


def edited(rows: list[dict[str, Any]], share: float = 0.05, documents: int = 1000) -> dict[str, Any]:
    """Copies of clean documents with a twentieth of the words (characters, where there are no blanks) changed."""
    random = np.random.default_rng(11)
    clean = [row["text"] for row in rows if row["kind"] == "clean"]
    kept = set(range(len(clean))) - set(removed(pa.array(clean, pa.large_string())).row.tolist())
    texts: list[str] = []
    for n in sorted(kept)[:documents]:
        spaced = clean[n].count(" ") > len(clean[n]) / 20
        words = clean[n].split(" ") if spaced else list(clean[n])
        if len(words) < 40:
            continue
        for at in random.choice(len(words), round(share * len(words)), replace=False):
            words[at] = f"x{random.integers(10**6)}" if spaced else chr(0x4E00 + int(random.integers(20_000)))
        texts += [clean[n], (" " if spaced else "").join(words)]
    gone = removed(pa.array(texts, pa.large_string()))
    return {
        "copies": len(texts) // 2,
        "found": float(np.mean([n in set(gone.row.tolist()) for n in range(1, len(texts), 2)])),
    }


def kinds(corpora: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What a byte model finds at 1 % false alarms among clean documents it was not fitted on, by kind; and language."""
    figures: dict[str, Any] = {}
    trusted = [row["text"].encode() for row in rows_of("trusted.jsonl.gz")]
    for name, own in (("english", "en"), ("chinese", "zh")):
        rows = corpora[name]
        kind = np.array([row["kind"] for row in rows])
        plain = np.array([row["kind"] == "clean" and not row["meta"].get("lookalike") for row in rows])
        of_clean = np.random.default_rng(5).permutation(np.flatnonzero(plain))
        fitted, judged = of_clean[:600], of_clean[600:]
        models = {"600 of its own": bytemodel.fit([rows[n]["text"].encode() for n in fitted])}
        if name == "english":
            models["86 of another kind"] = bytemodel.fit(trusted)
        for which, model in models.items():
            found = profile(texts_of(rows), model=model)
            bits = np.nan_to_num(found.field("model_bits").to_numpy(zero_copy_only=False))
            bound = np.quantile(bits[judged], 0.99)
            for one in ("wrong_lang", "spam", "toxic", "boilerplate", "raw_html", "ocr", "pii", "mojibake"):
                if (kind == one).any():
                    figures[f"{name}, model of {which}: {one}"] = float((bits[kind == one] > bound).mean())
            look = np.array([bool(row["meta"].get("lookalike")) for row in rows]) & (kind == "clean")
            figures[f"{name}, model of {which}: FALSE among look-alikes"] = float((bits[look] > bound).mean())
        told = np.array(languages(found)["language"].to_pylist())
        figures[f"{name}: other language told"] = float((told[kind == "wrong_lang"] != own).mean())
        figures[f"{name}: FALSE other language, plain clean"] = float((told[plain] != own).mean())
    return figures


JUDGED_BY_MODEL = ("ocr", "spam", "boilerplate", "raw_html", "toxic", "mojibake", "wrong_lang")
UNSEEN = ("nltk:shakespeare", "se:walt-whitman", "se:samuel-pepys", "debian-copyright", "wikitext2", "dictionary:pg972",
          "sms-ham")  # fmt: skip


def labels(rows: list[dict[str, Any]], most: int = 200) -> dict[str, Any]:
    """A model learned from 400 labels, half of them of what is not wanted, on all other documents: what goes by kind,
    and of what is wanted by look-alike; then once more for each of some sources, of which nothing was labelled.
    Intervals are Wilson's, of 95 %, and know of chance alone, not of what another source would be like."""
    rows = [row for row in rows if row["kind"] == "clean" or row["kind"] in JUDGED_BY_MODEL]
    texts = [row["text"].encode() for row in rows]
    bad = np.array([row["kind"] != "clean" for row in rows])
    source = np.array([row["source"] for row in rows])
    group = np.array([row["kind"] if row["kind"] != "clean" else f"FALSE: {row['meta'].get('lookalike') or 'plain'}"
                      for row in rows])  # fmt: skip
    random = np.random.default_rng(3)
    batch = texts_of(rows)

    def judged(known: Any) -> tuple[Any, Any]:
        some = np.concatenate([random.permutation(np.flatnonzero(known & side))[:most] for side in (bad, ~bad)])
        model = linear.learn([texts[n] for n in some], bad[some].tolist()).model
        above = profile(batch, learned=model).field("pollution").to_numpy() > 0
        rest = np.ones(len(rows), np.bool_)
        rest[some] = False
        return above, rest

    def told(above: Any, here: Any) -> dict[str, Any]:
        share, low, high = linear.interval(int(above[here].sum()), int(here.sum()))
        return {"share": share, "low": low, "high": high, "documents": int(here.sum())}

    above, rest = judged(np.ones(len(rows), np.bool_))
    figures = {one: told(above, rest & (group == one)) for one in sorted(set(group)) if (rest & (group == one)).any()}
    for one in UNSEEN:
        here = (source == one) & ~bad
        if here.any():
            above, _ = judged(source != one)
            figures[f"FALSE, nothing of it labelled: {one}"] = told(above, here)
    return figures


def forms(corpora: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Structured personal data and keys in documents of kinds pii and secret: by span."""
    figures: dict[str, Any] = {}
    for name, rows in corpora.items():
        asked = found_of = extra = 0
        may = pii.may_hold(profile(texts_of(rows)))
        for n, row in enumerate(rows):
            if row["kind"] not in ("pii", "secret"):
                continue
            found = pii.find(row["text"]) if may[n] else []
            spans = [(span["start"], span["end"], PII.get(span["type"])) for span in row["meta"]["spans"]]
            for start, end, kind in spans:
                if kind is not None:
                    asked += 1
                    found_of += any(one.start < end and start < one.end for one in found)
            extra += sum(not any(one.start < end and start < one.end for start, end, _ in spans) for one in found)
        figures[name] = {"spans": asked, "found": found_of, "found where none is": extra}
    return figures


def leaks(rows: list[dict[str, Any]]) -> dict[str, Any]:
    items = [json.loads(line)["question"] for line in (DATA / "benchmarks" / "gsm8k_test.jsonl").open()]
    texts, kind = texts_of(rows), np.array([row["kind"] for row in rows])
    figures: dict[str, Any] = {}
    for run in (13, 8, 5):
        hit = profile(texts, benchmark=leakage.benchmark(items, run)).field("leak_runs").to_numpy() > 0
        figures[f"runs of {run} words"] = {one: float(hit[kind == one].mean())
                                           for one in ("leak_verbatim", "leak_rephrased", "clean")}  # fmt: skip
    near = leakage.nearest(texts, leakage.fit(items, texts[:2000]))["similarity"].to_numpy()
    others = ~np.isin(kind, ("leak_verbatim", "leak_rephrased"))
    bound = np.quantile(near[others], 0.99)
    figures["windows at 1 % to review"] = {one: float((near[kind == one] > bound).mean())
                                           for one in ("leak_verbatim", "leak_rephrased")}  # fmt: skip
    return figures


def peers(rows: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    folder = Path(os.environ.get("CUPOLA_REFINE_PEERS", OUT / "refine_peers"))
    interpreter = folder / "bin" / "python"
    if not interpreter.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([interpreter, "-m", "pip", "install", "-q", *PEERS], check=True)
    path = OUT / "refine_peers_texts.jsonl"
    path.write_text("".join(json.dumps(row["text"]) + "\n" for row in rows))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    program = [interpreter, Path(__file__).with_name("peers.py"), path, str(seconds)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        told = json.loads(line)
        name = told.pop("peer")
        if "cpu_s" in told:
            told["documents_per_cpu_s"] = told["documents"] / told["cpu_s"]
        figures[name] = told
    return figures


def show(title: str, figures: dict[str, Any]) -> None:
    table = Table("what", "figures", title=title)
    for what, value in figures.items():
        told = value if isinstance(value, dict) else {"": value}
        table.add_row(what, "  ".join(f"{name} {x:.4g}" if isinstance(x, float) else f"{name} {x}"
                                      for name, x in told.items()).strip())  # fmt: skip
    out.print(table)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--peers", action="store_true")
    asked.add_argument("--peer-seconds", type=float, default=10.0)
    given = asked.parse_args()
    corpora = {name: rows_of(f"{name}.jsonl.gz") for name in ("english", "chinese", "code")}
    figures: dict[str, Any] = {"load_at_start": os.getloadavg()[0], "python": sys.version.split()[0]}
    figures["speed"] = speed(corpora)
    figures["copies"] = {name: copies(name, rows) for name, rows in corpora.items()}
    figures["copies with a twentieth changed"] = {name: edited(corpora[name]) for name in ("english", "chinese")}
    figures["kinds at 1 % false alarms"] = kinds(corpora)
    figures["a model learned from 400 labels"] = labels(corpora["english"])
    figures["personal data by form"] = forms(corpora)
    figures["leakage"] = leaks(corpora["english"])
    if given.peers:
        figures["peers, near duplicates of english"] = peers(corpora["english"], given.peer_seconds)
    OUT.mkdir(exist_ok=True)
    (OUT / "refine.json").write_text(json.dumps(figures, indent=1))
    out.print(f"load of the machine at the start: {figures['load_at_start']:.1f}")
    for title, told in figures.items():
        if isinstance(told, dict):
            show(title, told)


if __name__ == "__main__":
    main()
