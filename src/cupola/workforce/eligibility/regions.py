"""Groups of countries that an expression may name instead of listing them (ISO 3166-1 alpha-2)."""

from __future__ import annotations

from typing import Final

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"

REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "EU": tuple(_EU.split()),
    "EEA": tuple(f"{_EU} IS LI NO".split()),
    "EFTA": ("CH", "IS", "LI", "NO"),
}
