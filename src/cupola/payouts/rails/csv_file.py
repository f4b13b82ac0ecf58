"""A table for whoever pays by hand: one line a payout, and the same table back with what became of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from uuid import UUID

from cupola.kernel import money
from cupola.kernel.errors import invalid
from cupola.payouts.model import Field
from cupola.payouts.rails.base import File, Item, Outcome, Word
from cupola.platform.web import table_cell

_HEAD = ["payout", "holder", "account", "bank", "amount", "currency"]
_WORDS: dict[str, Word] = {"paid": "paid", "returned": "returned", "pending": "pending"}
MAX_FIELD = 120


class CsvRail:
    title = "Bank transfer, by hand"
    fields = (
        Field("holder", "Name of the account’s holder"),
        Field("account", "Account number or IBAN"),
        Field("bank", "Bank, and its code"),
    )

    def check(self, details: dict[str, str]) -> dict[str, str]:
        kept = {one.name: " ".join(details.get(one.name, "").split()) for one in self.fields}
        for name in ("holder", "account"):
            if not kept[name]:
                raise invalid(
                    "payout-field", "This is needed to pay you.", place=f"/details/{name}", remedy="Fill it in."
                )
        for name, value in kept.items():
            if len(value) > MAX_FIELD:
                raise invalid(
                    "payout-field", f"This is longer than {MAX_FIELD} characters.", place=f"/details/{name}",
                    remedy="Shorten it.",
                )  # fmt: skip
        return kept

    def hint(self, details: dict[str, str]) -> str:
        return "…" + details["account"].replace(" ", "")[-4:]

    def write(self, batch: UUID, items: Sequence[Item]) -> File:
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(_HEAD)
        for one in items:
            digits = money.digits(one.currency)
            whole, part = divmod(one.amount_minor, 10**digits)
            amount = f"{whole}.{part:0{digits}d}" if digits else str(whole)
            cells = [table_cell(one.details.get(name, "")) for name in ("holder", "account", "bank")]
            table.writerow([one.id, *cells, amount, one.currency])
        return File(f"payouts-{batch}.csv", "text/csv; charset=utf-8", text.getvalue().encode())

    def read(self, content: bytes) -> list[Outcome]:
        """Lines of payout, outcome (paid, returned or pending) and a reason; a first line may name the columns."""
        found: list[Outcome] = []
        try:
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        except (UnicodeDecodeError, csv.Error) as error:
            raise invalid(
                "outcomes-unreadable", f"This is no table in UTF-8: {error}.", remedy="Save it as “CSV UTF-8”."
            ) from error
        for number, row in enumerate(rows, start=1):
            if not any(cell.strip() for cell in row) or (number == 1 and row[0].strip().lower() == "payout"):
                continue
            try:
                payout, word = UUID(row[0].strip()), _WORDS[row[1].strip().lower()]
            except (ValueError, IndexError, KeyError):
                raise invalid(
                    "outcomes-line",
                    f"Line {number} does not name a payout and what became of it.",
                    place=f"line {number}",
                    remedy="Write: the payout's identifier, then paid, returned or pending, then a reason.",
                ) from None
            found.append(Outcome(payout, word, row[2].strip()[:500] if len(row) > 2 else ""))
        return found


csv_rail = CsvRail()
