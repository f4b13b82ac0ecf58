"""The language of eligibility: read, asked in Python and in Postgres alike, explained, refused with the place."""

from __future__ import annotations

import json

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.kernel.errors import Problem
from cupola.platform.pg.cluster import Cluster
from cupola.workforce.eligibility import model
from cupola.workforce.eligibility.model import All, Any_, Clause, Credential, Exam, Expression, Facts, Not
from cupola.workforce.eligibility.regions import REGIONS

EXPERT = 'language = "zh" and (degree("medicine") or exam("radiology") >= 0.9) and region in EU'
NAMES = st.sampled_from(["zh", "en", "medicine", "radiology", "a b", "漢字"])
COUNTRIES = st.sampled_from(["DE", "FR", "KE", "NO", "US"])


def several(of: st.SearchStrategy[str], least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(of, min_size=least, max_size=3, unique=True).map(tuple)


CLAUSES: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Clause, st.sampled_from(["language", "field"]), several(NAMES), st.none(), st.booleans()),
    st.builds(Clause, st.just("country"), several(COUNTRIES), st.none(), st.booleans()),
    st.builds(Clause, st.just("region"), several(st.sampled_from(list(REGIONS))), st.none(), st.booleans()),
    st.builds(Clause, st.sampled_from(model.CREDENTIALS), several(NAMES, 0)),
    st.builds(Clause, st.just("exam"), NAMES.map(lambda one: (one,)), st.sampled_from([None, 0.5, 0.85, 0.9])),
)
EXPRESSIONS = st.recursive(
    CLAUSES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Any_, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(["degree", "licence", "certificate", "language"])
FACTS = st.builds(
    Facts,
    several(NAMES, 0),
    several(NAMES, 0),
    st.none() | COUNTRIES,
    st.lists(st.builds(Credential, KINDS, NAMES), max_size=3).map(tuple),
    st.lists(st.builds(Exam, NAMES, st.sampled_from([0.4, 0.5, 0.85, 0.9, 0.95])), max_size=3).map(tuple),
)


def document(facts: Facts) -> str:
    """Facts as the database writes them."""
    return json.dumps(
        {
            "languages": facts.languages,
            "fields": facts.fields,
            "country": facts.country,
            "credentials": [{"kind": one.kind, "subject": one.subject} for one in facts.credentials],
            "exams": [{"name": one.name, "low": one.low} for one in facts.exams],
        }
    )


@settings(max_examples=150, deadline=None)
@given(asked=EXPRESSIONS)
def test_what_is_written_is_read_back_as_the_same(asked: Expression) -> None:
    again = model.parse(model.text(asked))
    assert model.text(again) == model.text(asked)


def test_postgres_and_python_answer_alike_for_everybody(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url, autocommit=True) as conn:

        @settings(max_examples=200, deadline=None)
        @given(asked=EXPRESSIONS, facts=FACTS)
        def alike(asked: Expression, facts: Facts) -> None:
            row = conn.execute("SELECT %s::jsonb @@ %s::jsonpath", (document(facts), model.path(asked))).fetchone()
            assert row is not None
            assert row[0] == model.holds(asked, facts)
            assert model.holds(model.parse(model.text(asked)), facts) == row[0]

        alike()


def test_an_expression_is_explained_part_by_part() -> None:
    asked = model.parse(EXPERT)
    assert model.text(asked) == EXPERT.replace("in EU", "= EU")
    told = model.explain(asked, Facts(("zh",), (), "DE", (), (Exam("radiology", 0.85),)))
    assert [(one.is_, one.holds) for one in told.parts] == [("language", True), ("any", False), ("region", True)]
    degree, exam = told.parts[1].parts
    assert (degree.yours, exam.yours, exam.at_least) == ((), ("0.85",), 0.9)
    assert model.holds(asked, Facts(("zh",), (), "DE", (Credential("degree", "medicine"),)))
    assert not model.holds(asked, Facts(("zh",), (), "KE", (Credential("degree", "medicine"),)))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "eligibility-empty", ""),
        ("  \n ", "eligibility-empty", ""),
        ('language = "zh" and', "eligibility-form", "character 20"),
        ('language = "zh" exam("a")', "eligibility-form", "character 17"),
        ("language ~ 3", "eligibility-character", "character 10"),
        ('exam("a") >= 90', "eligibility-share", "character 14"),
        ("region in Atlantis", "eligibility-region", "character 11"),
        ("country = Germany", "eligibility-country", "character 11"),
        ("approval_rate > 0.95", "gate-by-volume", "character 1"),
        ("tasks > 1000", "gate-by-volume", "character 1"),
        ("age > 18", "eligibility-fact", "character 1"),
        ("(" * 50 + 'language = "zh"' + ")" * 50, "eligibility-deep", "character 22"),
        ("not " * 60 + 'language = "zh"', "eligibility-deep", None),
        ('language = "zh" or ' * 80 + 'language = "zh"', "eligibility-long", None),
        ("x" * 3_000, "eligibility-long", ""),
        ('degree("")', "eligibility-character", None),
        ('exam("a", "b")', "eligibility-form", None),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, code: str, place: str | None) -> None:
    with pytest.raises(Problem) as caught:
        model.parse(text)
    assert caught.value.code == code
    assert caught.value.remedy
    assert place is None or caught.value.place == place
