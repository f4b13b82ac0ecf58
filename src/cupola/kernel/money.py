"""Money: whole numbers of a currency's minor unit (cents), never a float."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Legs:
    """What one judgement costs: the price is what the worker gets, whole; the rest stands beside it."""

    price_minor: int
    fee_minor: int
    insurance_minor: int

    @property
    def total_minor(self) -> int:
        return self.price_minor + self.fee_minor + self.insurance_minor


def share_minor(amount_minor: int, basis_points: int) -> int:
    """`basis_points` / 10,000 of an amount, rounded half up as in commerce, so that small prices are not doubled."""
    return (amount_minor * basis_points + 5_000) // 10_000


def legs(price_minor: int, fee_bp: int, insurance_bp: int) -> Legs:
    """Split the cost of one judgement into its legs.

    Raises ValueError for a negative part: no leg can take from a worker.
    """
    if price_minor < 0 or fee_bp < 0 or insurance_bp < 0:
        raise ValueError("a price, a fee and an insurance rate are never negative")
    return Legs(price_minor, share_minor(price_minor, fee_bp), share_minor(price_minor, insurance_bp))


# ISO 4217: how many decimals of a currency its minor unit is; two where nothing is said.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = {name: count for names, count in ((_NONE, 0), (_THREE, 3), ("CLF UYW", 4)) for name in names.split()}


def digits(currency: str) -> int:
    """How many digits of an amount stand after the point: yen have none, Kuwaiti dinars three."""
    return _DIGITS.get(currency, 2)


def in_words(amount_minor: int, currency: str) -> str:
    """An amount for a person: 12345 EUR -> "123.45 EUR", 12345 JPY -> "12345 JPY"."""
    sign = "-" if amount_minor < 0 else ""
    after = digits(currency)
    whole, rest = divmod(abs(amount_minor), 10**after)
    return f"{sign}{whole}{f'.{rest:0{after}d}' if after else ''} {currency}"
