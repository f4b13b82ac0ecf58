"""What the commands share: options, printing, a runtime on an instance's database."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from cyclopts import Parameter

from cupola.app import launch
from cupola.kernel import money
from cupola.kernel.errors import invalid
from cupola.kernel.terminal import Plain, json_text
from cupola.platform import settings as config
from cupola.platform.runtime import Runtime

T = TypeVar("T")
_AMOUNT = re.compile(r"\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*\Z")  # no exponents, no underscores, no other digits
out = Plain()
err = Plain(stderr=True)

Data = Annotated[
    Path | None, Parameter(name="--data", help="The instance's folder (default: $CUPOLA_DATA or ./.cupola).")
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Url = Annotated[str, Parameter(name="--url", env_var="CUPOLA_URL", help="The server.")]
ApiKey = Annotated[str, Parameter(name="--key", env_var="CUPOLA_KEY", help="An API key (see: cupola key create).")]
LOCAL = config.server_url()

EXIT_FAILED, EXIT_REFUSED, EXIT_WRONG = 1, 2, 3


def show(value: Any, as_json: bool, text: str) -> None:
    """Print a value as JSON or as the text for a person."""
    if as_json:
        plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        print(json_text(msgspec.to_builtins(plain), allow_nan=True))
    else:
        out.print(text, soft_wrap=True, highlight=False)


def tell(value: Any, as_json: bool, text: str, *then: str) -> None:
    """As `show`, and what to do next: a member of the JSON, or lines on the error stream, so that pipes stay clean."""
    if not as_json:
        if text:
            show(value, False, text)
        for n, line in enumerate(then):
            err.print(f"{'Next:' if not n else '     '} {line}", soft_wrap=True, highlight=False, markup=False)
        return
    plain: dict[str, Any] = dict(msgspec.to_builtins(value))
    show({**plain, "next": list(then)}, True, "")


def minor_units(amount: str, currency: str) -> int:
    """An amount as people write it ("12.50") in the currency's minor unit. Raises Problem (INVALID)."""
    digits = money.digits(currency)
    value = Decimal(amount.strip()).scaleb(digits) if _AMOUNT.match(amount) else Decimal(-1)
    if value <= 0 or value != value.to_integral_value() or value > 10**15:
        raise invalid(
            "amount-malformed",
            f"{amount!r} is no amount of {currency}.",
            place="amount",
            remedy=f"Write a positive number with at most {digits} digits after the point.",
        )
    return int(value)


def quoted(word: str) -> str:
    """A word as the shell takes it."""
    return shlex.quote(word)


def within(data: Path | None, work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `work` on the instance's database."""
    settings = config.load_beside(data)
    with launch.database(settings) as place:
        run = launch.runtime(settings, place.server_url, connections=2)

        async def go() -> T:
            await run.db.open()
            try:
                return await work(run)
            finally:
                await run.db.close()

        return asyncio.run(go())
