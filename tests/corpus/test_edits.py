"""Edits take out what is no text and nothing else; what they cut is told by its place."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import pyarrow as pa
import pyarrow.compute as compute
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.corpus import extras, marks, repeats, rules
from cupola.corpus.edits import EDITS, Boilerplate, Edit, Edited, Html, Licence, Lines, Unicode
from cupola.corpus.edits.base import cut
from cupola.corpus.profile import lines_of, profile, words_of
from cupola.kernel.errors import Problem
from tests.corpus.test_rules import PROSE

SENTENCES = [one.strip() + "." for one in PROSE.split(".") if one.strip()]


def page(article: str) -> str:
    menu = "".join(f"<li><a href='/{n}'>Menu {n}</a></li>" for n in range(9))
    return (f"<!doctype html><html><head><title>T</title><script>var x = 1;</script></head><body><nav><ul>{menu}</ul>"
            f"</nav><article><h1>A title</h1><p>{article}</p><p>{article[::-1]}</p></article>"
            "<footer>© 2020 Example. All rights reserved.</footer></body></html>")  # fmt: skip


@given(st.text(alphabet="ab \n\u4e2d.#/*", max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
@settings(max_examples=60)
def test_what_is_cut_and_what_stays_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    wanted = [(min(a, b), min(max(a, b), len(text))) for a, b in spans if min(a, b) < len(text)]
    gone = {n for start, end in wanted for n in range(start, end)}
    found = cut(text, wanted)
    if found is None:
        assert not gone
        return
    assert found.text == "".join(x for n, x in enumerate(text) if n not in gone)
    assert {n for start, end in found.cuts for n in range(start, end)} == gone
    assert all(before[1] < after[0] for before, after in zip(found.cuts, found.cuts[1:], strict=False))


@given(st.text(max_size=200))
@settings(max_examples=40)
def test_an_edit_of_an_edited_text_says_that_nothing_is_to_do_or_less_is_left(text: str) -> None:
    some: tuple[Edit, ...] = (Lines(ended=True, least_words=2, noise=True), Boilerplate(), Licence(), Unicode())
    for edit in some:
        found = edit.apply(text)
        if found is not None:
            assert found.text != text
            again = edit.apply(found.text)
            assert again is None or len(again.text) < len(found.text)


def test_every_edit_is_data_and_comes_back_from_it() -> None:
    for one in EDITS:
        made = one()
        assert msgspec.json.decode(msgspec.json.encode(made), type=Edit) == made
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.json.decode(b'{"edit": "lines", "colour": 1}', type=Edit)


def test_a_page_becomes_its_article_and_plain_text_stays_as_it_is() -> None:
    found = Html().apply(page(PROSE))
    assert found is not None
    words = Counter(re.findall(r"\w+", found.text))
    assert not words["Menu"]
    assert sum((words & Counter(PROSE.split())).values()) > 0.8 * len(re.findall(r"\w+", PROSE))
    assert Html().apply(PROSE) is None
    assert Html().apply("if a < b: print('<p> is a tag, <div> too, <span> as well')") is None
    empty = "<html><body><div><span></span></div></body></html>"
    assert Html().apply(empty) is None
    assert Html(empty=True).apply(empty) == Edited("")


def test_a_wrong_encoding_is_put_right_and_what_is_right_is_left() -> None:
    plain = "Café naïve – “quoted” and déjà vu."
    broken = plain.encode().decode("cp1252", "replace")
    found = Unicode().apply("Café – ok. ".encode().decode("cp1252"))
    assert found is not None
    assert found.text == "Café – ok. "
    assert Unicode().apply(plain) is None
    assert Unicode().apply("Ünïcödé Ëxámplé Ñandú; Ça va? Été à Noël, Âge") is None
    assert "â€" in broken
    chinese = "在自然语言的处理中，编码的错误是常见的。"
    garbled = chinese.encode().decode("gb18030", "replace")
    if "\ufffd" not in garbled:
        repaired = Unicode().apply(garbled)
        assert repaired is not None
        assert repaired.text == chinese
    assert Unicode().apply(chinese) is None
    assert Unicode().apply("a\x00b\x07c\td\n") == Edited("abc\td\n")
    assert Unicode(controls=False).apply("a\x00b") is None


def test_lines_go_by_the_rules_of_c4_and_of_refinedweb() -> None:
    c4 = Lines(ended=True, least_words=5, without=("javascript",))
    text = "Home\nThis line has words enough and ends.\nNo mark at the end of this line\nToo short.\n\n" \
           "Please enable Javascript to see this page.\n中文的句子也有标点。\n"  # fmt: skip
    found = c4.apply(text)
    assert found is not None
    assert found.text == "This line has words enough and ends.\n\n中文的句子也有标点。\n"
    assert next(text[start:end] for start, end in found.cuts) == "Home\n"
    noise = Lines(noise=True).apply(
        "A TITLE\n12,345\n3 likes\nA sentence about 3 likes of hers and much more.\nplain\n"
    )
    assert noise is not None
    assert noise.text == "A sentence about 3 likes of hers and much more.\nplain\n"
    assert c4.apply("One two three four five.\n") is None


def test_menus_and_notices_of_sites_go_and_verse_stays() -> None:
    article = "今天的会议讨论了三个议题，与会者一致同意继续推进。\n"
    site = f"首页\n新闻\n体育\n财经\n科技\n{article}责任编辑：王某\n版权所有 ICP备0001号\n"
    found = Boilerplate().apply(site)
    assert found is not None
    assert found.text == article
    english = Boilerplate().apply(
        f"Home\nAbout us\nContact\nLogin\nShop\n{PROSE}\n© 2020 Example. All rights reserved.\n"
    )
    assert english is not None
    assert english.text == f"{PROSE}\n"
    verse = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 3
    assert Boilerplate().apply(verse) is None
    assert (
        Boilerplate().apply("登录之后，系统会询问您的姓名和地址，然后把它们一起保存在服务器上的数据库里面，" * 3)
        is None
    )


@pytest.mark.parametrize(("head", "keeps"), [
    ("// Copyright (c) 2008 The Example Authors\n// Licensed under MIT.\n\n", ""),
    ("/*\n * SPDX-License-Identifier: MIT\n */\n", ""),
    ("#!/bin/sh\n# Copyright 2020 A. Person\n# All rights reserved.\n", "#!/bin/sh\n"),
    ("# -*- coding: utf-8 -*-\n# Licensed to the ASF.\n", "# -*- coding: utf-8 -*-\n"),
    ("<!-- Copyright 2020 -->\n", ""),
])  # fmt: skip
def test_a_licence_header_goes_and_other_comments_stay(head: str, keeps: str) -> None:
    code = "// what the function does\nint f() { return 1; } // copyright\n"
    found = Licence().apply(head + code if "#" not in head else head + "import os\n")
    assert found is not None
    assert found.text == keeps + (code if "#" not in head else "import os\n")
    assert Licence().apply(code) is None


def test_marks_are_made_where_a_rule_asks_and_only_there() -> None:
    texts = [PROSE, page("x") * 2, "// Code generated by tool. DO NOT EDIT.\nint a;", "AKIAIOSFODNN7EXAMPLE is a key",
             "DATA = '" + "Ab3/" * 60 + "'", "numbers generated by the program are printed"]  # fmt: skip
    batch = pa.array(texts, pa.large_string())
    found = profile(batch)
    asked = rules.marks_of([rules.load("code"), rules.load("garbage")])
    assert set(asked) == {"generated", "blob_share", "markup_share"}
    signals = rules.Signals(marks.added(found, batch, rules.MARKS))
    assert (signals.of("markup_share") > 0.15).tolist() == [False, True, False, False, False, False]
    assert signals.of("generated").tolist() == [0, 0, 1, 0, 0, 0]
    assert signals.of("secrets").tolist()[3] == 1
    assert (signals.of("blob_share") > 0.5).tolist() == [False, False, False, False, True, False]
    assert rules.Signals(found).of("generated").tolist() != [0] * 6, "not asked for: says nothing"
    assert not len(rules.drops(found, [rules.load("code")]).filter(compute.equal(
        rules.drops(found, [rules.load("code")])["rule"], "code/generated")))  # fmt: skip


def test_the_other_script_of_chinese_is_a_copy_only_for_who_folds_them() -> None:
    both = pa.array(
        ["泰晤士報是英國的一份報紙，發行於臺灣。", "泰晤士报是英国的一份报纸，发行于台湾。"], pa.large_string()
    )
    apart, folded = profile(both), profile(both, han=True)
    assert apart.field("hash")[0] != apart.field("hash")[1]
    assert folded.field("hash")[0] == folded.field("hash")[1]
    assert folded.field("hash")[1] == apart.field("hash")[1]


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trafilatura", None)
    extras.module.cache_clear()
    with pytest.raises(Problem, match="trafilatura") as told:
        Html().apply(page(PROSE))
    assert "cupola[refinery]" in told.value.remedy
    extras.module.cache_clear()


documents = st.lists(
    st.lists(st.sampled_from(["aa", "bb", "cc", "dd", "中", "文"]), max_size=60), min_size=1, max_size=6
)


@given(documents, st.integers(4, 12), st.randoms())
@settings(max_examples=60, deadline=None)
def test_every_run_that_two_documents_share_is_left_in_one_of_them_alone(
    some: list[list[str]], run: int, random: object
) -> None:
    texts = [" ".join(words) for words in some]
    ids = [f"d{n}" for n in range(len(texts))]
    batch = pa.array(texts, pa.large_string())
    marked = repeats.shared(*repeats.distinct(*repeats.mark_pairs(batch, ids, run)), 1)
    table = repeats.shared(*repeats.distinct(*repeats.run_pairs(batch, ids, run, marked[0])), 1)
    every = [{tuple(words[n : n + run]) for n in range(len(words) - run + 1)} for words in some]
    both = {one for n, runs in enumerate(every) for other in every[:n] for one in runs & other}
    assert len(table[0]) == len(both)
    words, whose = words_of(batch), repeats.owners(ids).tolist()
    keeper = {one: min(whose[n] for n, runs in enumerate(every) if one in runs) for one in both}
    for n, text in enumerate(texts):
        hashes = words.hashes[words.ends[n - 1] if n else 0 : words.ends[n]]
        spans = repeats.word_spans(text)
        assert [text[start:end] for start, end in spans] == some[n]
        others = [m for m in range(len(some[n]) - run + 1)
                  if keeper.get(tuple(some[n][m : m + run]), whose[n]) != whose[n]]  # fmt: skip
        gone = {at for m in others for at in range(m, m + run)}
        cuts = repeats.run_cuts(text, hashes, repeats.owners(ids)[n], run, table)
        assert {at for at, (start, end) in enumerate(spans)
                if any(first <= start and end <= last for first, last in cuts)} == gone  # fmt: skip


def test_a_line_of_several_documents_stays_in_one(tmp_path: object) -> None:
    line = "This line stands at the foot of every page of the site."
    texts = [f"{sentence}\n{line}\nshort\n" for sentence in SENTENCES[:3]]
    batch, ids = pa.array(texts, pa.large_string()), ["x", "y", "z"]
    table = repeats.shared(*repeats.distinct(*repeats.line_pairs(batch, ids, 20)), 1)
    assert len(table[0]) == 1
    found = lines_of(batch)
    left = 0
    for n, text in enumerate(texts):
        hashes = found.hashes[found.ends[n - 1] if n else 0 : found.ends[n]]
        spans = repeats.line_cuts(text, hashes, repeats.owners(ids)[n], table)
        assert all(text[start:end] == line + "\n" for start, end in spans)
        left += not spans
    assert left == 1
    assert not len(repeats.shared(*repeats.distinct(*repeats.line_pairs(batch, ids, 20)), 3)[0])
