"""Names of data sets, projects, releases and ontologies: one line, seen, in any script."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from cupola.catalog.api import NewDataset
from cupola.ontology.api import NewOntology
from cupola.platform.web import Name
from cupola.releases.api import NewRelease
from cupola.tasks.api import NewProject

NAME = TypeAdapter[str](Name)


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "a\nb", "a\x00", "a\x1b[31m", "a\u2028b", "x" * 201])
def test_names_that_nobody_sees_or_no_line_holds_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


def test_names_keep_their_script_and_lose_outer_blanks() -> None:
    assert NAME.validate_python(" علی\u200cرضا 👨\u200d👩\u200d👧 v1 ") == "علی\u200cرضا 👨\u200d👩\u200d👧 v1"


@pytest.mark.parametrize("made", [NewDataset, NewProject, NewRelease, NewOntology])
def test_everything_that_is_named_is_named_by_this_rule(
    made: type[NewDataset | NewProject | NewRelease | NewOntology],
) -> None:
    with pytest.raises(ValidationError, match="stands in one line"):
        made.model_validate({"name": "a\nb"})
