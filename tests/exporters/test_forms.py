"""The archive of forms: answers, the files that answer, and which answers what."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cupola.labels import decode_label, decode_ontology
from tests.exporters.test_exporters import export, released, unpack


def test_forms_lay_the_files_that_answer_beside_the_answers_and_each_content_once() -> None:
    asked = [{"name": "proof", "type": "file"}, {"name": "lines", "type": "rows", "columns": [
        {"name": "what", "type": "text"}, {"name": "slip", "type": "file"}]}]  # fmt: skip
    ontology = decode_ontology({"kind": "form", "attributes": asked})

    def file(name: str, media_type: str = "image/png") -> dict[str, Any]:
        content = name.encode()
        sha256 = hashlib.sha256(content).hexdigest()
        return {"type": "file", "sha256": sha256, "name": name, "media_type": media_type, "bytes": len(content)}

    first, second = file("收据 1.png"), file("data.CSV", "text/plain")
    rows = {"type": "rows", "rows": [{"what": "tea", "slip": second}, {"what": "milk", "slip": first}]}
    labels = [{"proof": first, "lines": rows}, {"proof": first}, {}]
    released_rows = [
        released(n, f"item {n}", decode_label(json.dumps({"kind": "form", "answers": answers})))
        for n, answers in enumerate(labels)
    ]
    found = unpack(export("forms", ontology, released_rows)[2])
    stored = {one["sha256"]: f"files/{one['sha256']}.{end}" for one, end in ((first, "png"), (second, "csv"))}
    assert sorted(found) == sorted(["LICENCE.txt", "answers.jsonl", "files.jsonl", *stored.values()])
    for one in (first, second):
        assert found[stored[one["sha256"]]] == one["name"].encode()
    answers = [json.loads(line) for line in found["answers.jsonl"].splitlines()]
    assert [(one["ref"], one["label"]["answers"]) for one in answers] == [
        (f"item {n}", answer) for n, answer in enumerate(labels)
    ]
    told = [json.loads(line) for line in found["files.jsonl"].splitlines()]
    assert {(one["ref"], one["name"], one["file"]) for one in told} == {
        ("item 0", "收据 1.png", stored[first["sha256"]]),
        ("item 0", "data.CSV", stored[second["sha256"]]),
        ("item 1", "收据 1.png", stored[first["sha256"]]),
    }
    assert len(told) == 4, "a file that answers twice is told twice"
    assert len({(one["ref"], one["answer"]) for one in told}) == 4
