"""Labels of texts as those read them that they are for: spaCy, Inspect, and Hugging Face's datasets."""

from __future__ import annotations

from pathlib import Path

from cupola.labels import decode_ontology
from cupola.templates.table import named
from tests.consumers import programs
from tests.exporters.test_exporters import export
from tests.exporters.test_language import ODD, odd, row


def laid(form: str, template: str, folder: Path) -> Path:
    """A template's example in a format, as a file."""
    one = named(template)
    rows = [
        row(item, one.example.answers[str(item.get("ref", item.get("id")))], n)
        for n, item in enumerate(one.example.items)
    ]
    extension, _, data = export(form, decode_ontology(one.spec), rows)
    file = folder / f"{template}-{form}.{extension}"
    file.write_bytes(data)
    return file


def test_spacy_finds_every_mark_where_it_is(tmp_path: Path) -> None:
    ontology, one, spans = odd()
    files = []
    for form in ("spacy", "conll"):
        file = tmp_path / f"odd.{form}"
        file.write_bytes(export(form, ontology, [one])[2])
        files.append(file)
    said = programs.read("spacy", *files)
    every = sorted([ODD[each["start"] : each["end"]], each["label"]] for each in spans)
    [made] = said["made"]
    assert sorted(made["spans"]) == every
    inner = [ODD[-5:-1], "MISC"]
    assert sorted(made["entities"]) == [each for each in every if each != inner]
    # what it converts it puts together with blanks between tokens
    [converted] = said["converted"]
    assert sorted([text.replace(" ", ""), label] for text, label in converted) == sorted(
        [text.replace(" ", ""), label] for text, label in made["entities"]
    )


def test_inspect_reads_questions_choices_and_targets(tmp_path: Path) -> None:
    ice, _ = programs.read("inspect", laid("inspect", "preference", tmp_path))
    assert (ice["id"], ice["said"], ice["target"]) == ("ice", ["Why does ice float?"], "A")
    assert len(ice["choices"]) == 2
    good, _ = programs.read("inspect", laid("inspect", "classify", tmp_path))
    assert (good["choices"], good["target"]) == (["positive", "negative", "neutral"], "A")


def test_datasets_reads_what_trainers_take_as_tables_of_their_columns(tmp_path: Path) -> None:
    files = {
        "sft": laid("sft", "answer-writing", tmp_path),
        "dpo": laid("dpo", "preference", tmp_path),
        "kto": laid("kto", "ranking", tmp_path),
        "prm": laid("prm", "process", tmp_path),
        "verl": laid("verl", "rubric", tmp_path),
    }
    said = programs.read("datasets", *(f"{name}={file}" for name, file in files.items()))
    assert {"prompt", "chosen", "rejected"} <= set(said["dpo"]["columns"])
    assert {"prompt", "completion", "label"} <= set(said["kto"]["columns"])
    assert said["verl"]["columns"] == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    assert [one["labels"] for one in said["prm"]["rows"]] == [[True, True, True], [False, True]]
    assert [one["messages"][-1]["role"] for one in said["sft"]["rows"]] == ["assistant", "assistant"]
