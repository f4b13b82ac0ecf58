"""Items with what people and judges said of them, from the files that people have.

Read are items that list `votes` (people) and `judges`; and long tables of item, rater or judge, value, with the order
in which the judge saw the two ("12" or "21"). A second file may hold the people's side.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from cupola.kernel.errors import invalid
from cupola.preferences.files import Refused, rows
from cupola.preferences.judges import Item, Verdict
from cupola.preferences.votes import RATERS, WINNERS

ITEMS = ("item", "id", "item_id", "task", "task_id", "question_id", "example")
ORDERS = {"12": False, "ab": False, "original": False, "21": True, "ba": True, "swapped": True}
GOLD = "gold"


def read(
    files: list[Path], *, slice_by: str | None = None, judges: Collection[str] = ()
) -> tuple[list[Item], list[Refused]]:
    """The items of one or several files, joined by their id, in the order in which they come.

    slice_by: a column; judges: raters who are judges, where the file has no column that says so. Raises Problem where
    no judge or no person said anything.
    """
    made = _Made(slice_by, frozenset(judges))
    for path in files:
        for place, row in rows(path, made.refused):
            made.add(place, row)
    items = list(made.items.values())
    for what, remedy, there in (
        ("judge", "Give rows a 'judge', or name those raters that are judges: --judge NAME.",
         any(item.verdicts for item in items)),
        ("person", "Give rows a 'rater', or the people's file as a second one.", any(item.people for item in items)),
    ):  # fmt: skip
        if not there:
            raise invalid(f"no-{what}", f"No {what} said anything in {', '.join(map(str, files))}.", remedy=remedy,
                          place=str(files[0]))  # fmt: skip
    return items, made.refused


class _Made:
    def __init__(self, slice_by: str | None, judges: frozenset[str]) -> None:
        self.slice_by, self.judges = slice_by, judges
        self.items: dict[str, Item] = {}
        self.refused: list[Refused] = []

    def add(self, place: str, row: dict[str, Any]) -> None:
        name = next((str(row[column]) for column in ITEMS if row.get(column) is not None), None)
        if name is None:
            self.refused.append(Refused(place, f"names no item (columns that do: {', '.join(ITEMS)})"))
            return
        item = self.items.setdefault(name, Item(name))
        if self.slice_by and row.get(self.slice_by) is not None:
            item.slice = str(row[self.slice_by])
        listed = False
        for member in ("votes", "judges"):
            if isinstance(row.get(member), list):
                listed = True
                for number, one in enumerate(row[member]):
                    if isinstance(one, dict):
                        self._one(item, f"{place}/{member}/{number}", one, member == "judges")
                    else:
                        self.refused.append(Refused(f"{place}/{member}/{number}", "is no object"))
        if row.get(GOLD) is not None and not listed:
            item.people[GOLD] = _value(row[GOLD]) or ""
        elif not listed:
            self._one(item, place, row, row.get("kind") in ("judge", "model") or row.get("judge") is not None)

    def _one(self, item: Item, place: str, row: dict[str, Any], judged: bool) -> None:
        value = next((_value(row[name]) for name in WINNERS if name in row), None)
        columns = ("judge", *RATERS) if judged else tuple(name for name in RATERS if name != "judge")
        who = next((str(row[name]) for name in columns if row.get(name) is not None), None)
        if value is None or who is None:
            missing = "a verdict" if value is None else "whoever judged"
            self.refused.append(Refused(place, f"leaves out {missing}"))
            return
        if not judged and who not in self.judges:
            item.people[who] = value
            return
        if row.get("prompt") is not None and judged:
            who = f"{who}/{row['prompt']}"
        given = row.get("order")
        turned = ORDERS.get(str(given).strip().lower()) if given is not None else False
        if turned is None:
            self.refused.append(Refused(place, f"has the order {given!r}; it is 12 or 21"))
            return
        item.verdicts.setdefault(who, []).append(Verdict(value, turned))


def _value(value: Any) -> str | None:
    """A verdict as a word; of preferences in five steps the side, as agreement on sides is what is counted."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
