"""What the commands share: options, printing, a runtime on an instance's database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from cyclopts import Parameter
from rich.console import Console

from cupola.app import launch
from cupola.platform import settings as config
from cupola.platform.runtime import Runtime

T = TypeVar("T")
out = Console()
err = Console(stderr=True)

Data = Annotated[
    Path | None, Parameter(name="--data", help="The instance's folder (default: $CUPOLA_DATA or ./.cupola).")
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Url = Annotated[str, Parameter(name="--url", env_var="CUPOLA_URL", help="The server.")]
ApiKey = Annotated[str, Parameter(name="--key", env_var="CUPOLA_KEY", help="An API key (see: cupola key create).")]
LOCAL = "http://127.0.0.1:8000"

EXIT_FAILED, EXIT_REFUSED, EXIT_WRONG = 1, 2, 3


def show(value: Any, as_json: bool, text: str) -> None:
    """Print a value as JSON or as the text for a person."""
    if as_json:
        plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        print(json.dumps(msgspec.to_builtins(plain), indent=1, ensure_ascii=False))
    else:
        out.print(text, soft_wrap=True, highlight=False)


def within(data: Path | None, work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `work` on the instance's database."""
    settings = config.load(data)
    with launch.database(settings) as place:
        run = launch.runtime(settings, place.server_url, connections=2)

        async def go() -> T:
            await run.db.open()
            try:
                return await work(run)
            finally:
                await run.db.close()

        return asyncio.run(go())
