"""What a run does, as data (YAML): rules, languages, copies, personal data. Presets lie in `recipes/`."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cupola.corpus import rules
from cupola.corpus.edits import Edit
from cupola.corpus.language import listed
from cupola.corpus.rules import Name, RuleSet
from cupola.kernel.errors import invalid

PRESETS = ("copies", "web", "c4", "pages", "chinese", "code")
Similarity = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Benchmark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items whose runs of `run` words are looked for (signal `leak_runs`), in a file's column."""

    file: str
    text: str = "text"
    run: Annotated[int, msgspec.Meta(ge=3, le=50)] = 13


class Repeated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in several documents goes from all but one of them. lines: whole lines of at least `least_chars`
    that more than `most` documents hold; runs: any run of so many words (characters, in scripts without blanks) that
    two documents share, null: none (K. Lee et al., Deduplicating training data makes language models better, 2022)."""

    lines: bool = True
    least_chars: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 20
    most: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    runs: Annotated[int, msgspec.Meta(ge=10, le=1000)] | None = None


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """edits: what is changed in texts before they are judged, in this order; repeated: what goes from all but one of
    the documents that hold it; fold_han: traditional and simplified Chinese count as one when copies are looked for;
    rules: presets or files, beside the recipe; languages: a document in another one goes, one in none that is known
    stays (empty: all stay); near: the least similarity of a copy to its keeper, null: only exact copies; exact: whether
    copies go at all; model: a byte model of trusted text; learned: a model of labelled documents, by which one goes
    that is above its bound; personal: what becomes of personal data in what is kept."""

    name: Name
    version: str
    about: str = ""
    edits: tuple[Edit, ...] = ()
    repeated: Repeated | None = None
    fold_han: bool = False
    rules: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    exact: bool = True
    near: Similarity | None = 0.5
    model: str | None = None
    learned: str | None = None
    benchmark: Benchmark | None = None
    personal: Literal["keep", "mask", "pseudonym"] = "keep"

    @property
    def changes_texts(self) -> bool:
        """Whether texts are changed before they are judged."""
        return bool(self.edits) or self.repeated is not None


class Loaded(msgspec.Struct, frozen=True):
    """A recipe with its rules, so that a run that goes on later goes on by the same; folder: where its files lie;
    digests: SHA-256 of the models and the benchmark."""

    recipe: Recipe
    sets: tuple[RuleSet, ...]
    folder: str
    digests: dict[str, str]

    def path(self, name: str) -> Path:
        """A file that the recipe names."""
        return Path(self.folder) / name


def load(name: str | Path) -> Loaded:
    """A preset by its name, or a file. Raises Problem (INVALID) that names the place."""
    folder = Path()
    if str(name) in PRESETS:
        text = resources.files("cupola.corpus").joinpath(f"recipes/{name}.yaml").read_bytes()
    else:
        folder = Path(name).parent
        try:
            text = Path(name).read_bytes()
        except OSError as error:
            raise invalid("recipe-unreadable", f"There is no recipe {name}, nor such a file: {error}.", place=str(name),
                          remedy=f"The presets are {', '.join(PRESETS)}.") from error  # fmt: skip
    try:
        recipe = msgspec.yaml.decode(text, type=Recipe)
    except msgspec.DecodeError as error:
        raise invalid("recipe-malformed", f"{name}: {error}.", place=str(name)) from error
    return _loaded(recipe, folder, str(name))


def copies(near: float, model: Path | None = None) -> Loaded:
    """The recipe `copies` with another least similarity, and a model that says which of a group stays. Raises Problem
    (INVALID) for a similarity outside (0, 1]."""
    if not 0 < near <= 1:
        raise invalid("threshold-outside", f"A similarity of {near} cannot be asked for.", place="threshold",
                      remedy="Give a number above 0 and at most 1.")  # fmt: skip
    plain = load("copies").recipe
    folder = Path() if model is None else model.parent
    return _loaded(msgspec.structs.replace(plain, near=near, model=None if model is None else model.name), folder,
                   "copies")  # fmt: skip


def _loaded(recipe: Recipe, folder: Path, name: str) -> Loaded:
    sets = tuple(rules.load(one if one in rules.PRESETS else folder / one) for one in recipe.rules)
    twice = sorted({one.name for one in sets if [other.name for other in sets].count(one.name) > 1})
    if twice:
        raise invalid("rules-twice", f"{name}: two sets of rules are called {', '.join(twice)}.", place="rules")
    if strange := sorted(set(recipe.languages) - set(listed()) - {"zh", "ja", "ko"}):
        raise invalid("language-unknown", f"{name}: {', '.join(strange)} cannot be told.", place="languages",
                      remedy=f"Languages are zh, ja, ko, {', '.join(listed())}.")  # fmt: skip
    if recipe.near is not None and not recipe.exact:
        raise invalid("near-without-exact", f"{name}: near copies are looked for and exact ones are not.", place="near",
                      remedy="Set `near: null`, or leave `exact` out.")  # fmt: skip
    digests = {}
    for file in (recipe.model, recipe.learned, recipe.benchmark.file if recipe.benchmark else None):
        if file is not None:
            try:
                digests[file] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
            except OSError as error:
                raise invalid("recipe-file-absent", f"{name}: {error}.", place=file,
                              remedy="Files are looked for beside the recipe.") from error  # fmt: skip
    return Loaded(recipe, sets, str(folder), digests)
