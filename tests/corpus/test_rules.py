"""Rules as data: what they say is what goes, with the score and the threshold, and a malformed one is named."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.corpus.profile import profile
from cupola.corpus.rules import PRESETS, SIGNALS, Rule, RuleSet, Signals, drops, load
from cupola.kernel.errors import Problem
from tests.corpus import reference

_DRAWN = np.random.default_rng(7)
_WORDS = ["".join(_DRAWN.choice(list("aeioulnrst"), _DRAWN.integers(3, 9))) for _ in range(400)] + ["the", "of"] * 8
# Prose without a fault: sentences that do not repeat each other.
PROSE = " ".join(" ".join(_DRAWN.choice(_WORDS, 12)).capitalize() + "." for _ in range(20))


def broken(text: str, *presets: str) -> dict[str, tuple[float, float]]:
    found = drops(profile(pa.array([text])), [load(name) for name in presets]).to_pylist()
    return {row["rule"].split("/")[1]: (row["score"], row["threshold"]) for row in found}


@pytest.mark.parametrize(
    ("preset", "rule", "text", "score"),
    [
        ("gopher", "too-few-words", "the cat and the dog", 5),
        ("gopher", "words-too-short", "a b c the of " * 20, 1.6),
        ("gopher", "words-too-long", "incomprehensibilities the of " * 20, (21 + 5) / 3),
        ("gopher", "hashes", "# the cat of " * 20, 1 / 3),
        ("gopher", "ellipses", "the cat... of " * 20, 1 / 3),
        ("gopher", "bullet-lines", "\n".join(f"- item{n}" for n in range(60)), 1),
        ("gopher", "ellipsis-lines", "\n".join(f"item{n} ..." for n in range(60)), 1),
        ("gopher", "words-without-letters", " ".join(str(n) for n in range(100)), 0),
        ("gopher", "no-stop-words", " ".join(f"mot{n}" for n in range(100)) + " the", 1),
        ("gopher", "repeated-lines", "\n".join(["one two"] * 3 + ["three"]), 0.5),
        ("gopher", "repeated-paragraphs", "one two\n\none two\n\nthree", 1 / 3),
        ("gopher", "text-in-repeated-lines", "one two\nthree\none two", 7 / 19),
        ("gopher", "top-2-gram", "one two three one two four one two", 18 / 27),
        ("gopher", "repeated-5-grams", "a b c d e " * 2, 0.5),
        ("c4", "too-few-sentences", "One. Two.", 2),
        ("c4", "lorem-ipsum", "Lorem ipsum dolor. Sit. Amet.", 1),
        ("c4", "curly-brackets", "One. Two. Three {", 1),
        ("fineweb", "lines-without-a-mark", "\n".join(f"line {n}" for n in range(9)), 0),
        ("fineweb", "text-in-repeated-lines", "one two\nthree\none two", 7 / 19),
        ("fineweb", "short-lines", "\n".join(f"line {n}." for n in range(9)), 1),
        ("refinedweb", "words-in-noise-lines", "SIGN IN NOW\n123\nand so it went on and on", 4 / 11),
        ("refinedweb", "too-few-words", "the cat and the dog", 5),
    ],
)
def test_each_rule_finds_what_it_is_for_and_says_how_far(preset: str, rule: str, text: str, score: float) -> None:
    found = broken(text, preset)
    threshold = next((r.least if r.least is not None and score < r.least else r.most)
                     for r in load(preset).rules if r.rule == rule)  # fmt: skip
    if rule == "words-too-long":
        assert rule not in found, "8.7 letters are still words"
        assert rule in broken("incomprehensibilities " * 60, preset)
        return
    assert found[rule] == (pytest.approx(score), threshold)


def test_prose_breaks_no_rule_of_any_preset_and_chinese_is_not_judged_by_rules_for_words() -> None:
    assert broken(PROSE, *(one for one in PRESETS if one != "code")) == {}
    chinese = "".join(chr(0x4E00 + (n * 37) % 5000) + ("。" if n % 17 == 16 else "") for n in range(400)) + "。"
    assert broken(chinese, *(one for one in PRESETS if one != "code")) == {}


@given(st.lists(st.text(max_size=200), max_size=5), st.sampled_from(sorted(SIGNALS)), st.floats(0, 3))
@settings(max_examples=150)
def test_a_document_goes_exactly_when_its_signal_is_outside_the_bounds(
    documents: list[str], signal: str, bound: float
) -> None:
    batch = profile(pa.array([text.encode("utf-8", "replace") for text in documents], pa.binary()))
    low, high = Rule(rule="low", signal=signal, least=bound), Rule(rule="high", signal=signal, most=bound)
    rules = RuleSet(name="x", version="1", rules=(low, high))
    values = Signals(batch).of(signal)
    found = drops(batch, [rules]).to_pylist()
    told = [(row["row"], row["rule"], row["score"], row["threshold"], row["version"]) for row in found]
    expected = []
    for row, value in enumerate(values.tolist()):
        if not math.isnan(value) and value != bound:
            expected.append((row, "x/low" if value < bound else "x/high", value, bound, rules.stamp))
    assert told == expected


def test_shares_are_what_the_slow_definition_says() -> None:
    text = "One two three. One two three. Four!\nONE\n\n* two ..."
    slow, signals = reference.counts(text.encode()), Signals(profile(pa.array([text])))
    assert signals.of("mean_word_chars")[0] == slow["word_chars"] / slow["words"]
    assert signals.of("ended_line_share")[0] == slow["ended_lines"] / slow["lines"]
    assert signals.of("top_3_gram_share")[0] == slow["top_3_gram_chars"] / slow["gram_chars"]
    assert signals.of("stop_words")[0] == 0
    assert Signals(profile(pa.array(["The the THE of"]))).of("stop_words")[0] == 2


def test_a_version_changes_with_a_threshold_and_the_presets_name_their_sources(tmp_path: Path) -> None:
    for name in PRESETS:
        preset = load(name)
        assert preset.source
        assert preset.left_out
        assert preset.stamp.startswith(f"{name}@1+")
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nversion: '3'\nextends: fineweb\nrules:\n- {rule: a, signal: words, least: 5}\n")
    before = load(mine)
    assert [rule.rule for rule in before.rules][-1] == "a"
    assert len(before.rules) == len(load("fineweb").rules) + 1
    mine.write_text(mine.read_text().replace("least: 5", "least: 6"))
    assert load(mine).stamp != before.stamp


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("name: x\nversion: '1'\nrules:\n- {rule: a, signal: wrods, least: 1}\n", "signal-unknown", "a"),
        ("name: x\nversion: '1'\nrules:\n- {rule: a, signal: words}\n", "rule-without-a-bound", "a"),
        ("name: x\nversion: '1'\nrules:\n- {rule: a, signal: words, lest: 1}\n", "rules-malformed", ""),
        ("name: x\nversion: '1'\nextends: y\nrules: []\n", "rules-malformed", ""),
        ("name: x\nversion: '1'\nrules:\n- {rule: a, signal: words, least: 1}\n- {rule: a, signal: words, most: 1}\n",
         "rule-twice", "a"),
        ("[", "rules-malformed", ""),
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused_by_their_place(tmp_path: Path, text: str, code: str, place: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(Problem) as refused:
        load(path)
    assert refused.value.code == code
    assert refused.value.place == (place or str(path))
    with pytest.raises(Problem, match="no preset"):
        load(tmp_path / "absent.yaml")
