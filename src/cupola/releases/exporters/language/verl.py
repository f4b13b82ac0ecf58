"""Rewards that can be checked, as verl reads them: Parquet with data_source, prompt, ability, reward_model, extra_info.

`reward_model.ground_truth` is what was written, or the first text to go by; where there are criteria its style is
"rubric" and `extra_info.rubric` has them with their points, and how far each was met by the reply there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from cupola.kernel.lazy import Lazy
from cupola.labels.rubric import criteria, scores
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.language.asked import answers_of, text_of
from cupola.releases.exporters.language.talk import talk_of
from cupola.releases.exporters.parquet import Sink

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa = Lazy("pyarrow")
    pq = Lazy("pyarrow.parquet")


@cache
def _schema() -> pa.Schema:
    message = pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())])
    reward = pa.struct([pa.field("style", pa.string()), pa.field("ground_truth", pa.string())])
    return pa.schema(
        [
            pa.field("data_source", pa.string(), nullable=False),
            pa.field("prompt", pa.list_(message), nullable=False),
            pa.field("ability", pa.string(), nullable=False),
            pa.field("reward_model", reward),
            pa.field(
                "extra_info",
                pa.struct(
                    [
                        pa.field("index", pa.int64()),
                        pa.field("split", pa.string()),
                        pa.field("ref", pa.string()),
                        pa.field("rubric", pa.string()),
                        pa.field("score", pa.float64()),
                    ]
                ),
            ),
        ]
    )


def _row(row: Row, about: About) -> dict[str, Any] | None:
    talk = talk_of(row)
    if talk is None:
        return None
    specs = about.ontology.attributes
    found = scores(specs, answers_of(row))
    last = next(reversed(found.values()), None)
    rubric = [
        {"criterion": spec.name, "points": spec.weight, "met": None if last is None else last.met.get(spec.name)}
        for spec in criteria(specs)
    ]
    truth = text_of(row, about.ontology) or next(iter(talk.references), "")
    return {
        "data_source": about.name,
        "prompt": talk.prompt,
        "ability": "rubric" if rubric else "text",
        "reward_model": {"style": "rubric" if rubric else "rule", "ground_truth": truth},
        "extra_info": {
            "index": row.position,
            "split": "train",
            "ref": row.ref,
            "rubric": msgspec.json.encode(rubric).decode() if rubric else None,
            "score": None if last is None else last.value,
        },
    }


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    sink = Sink()
    writer = pq.ParquetWriter(sink, _schema(), compression="zstd")
    try:
        async for batch in rows:
            made = [(row, _row(row, about)) for row in batch]
            for row, one in made:
                if one is None:
                    about.report.drop("left-out", f"{row.ref}: nothing of it can be said in this format")
            told = [one for _, one in made if one is not None]
            if told:
                await asyncio.to_thread(writer.write_table, pa.Table.from_pylist(told, schema=_schema()))
                yield sink.take()
    finally:
        writer.close()
    yield sink.take()


verl = Format(
    title="verl (RLVR)",
    about={"en": "Prompts with what rewards are checked by, in Parquet", "zh": "提示及可验证的奖励依据，Parquet 格式"},
    extension="parquet",
    media_type="application/vnd.apache.parquet",
    write=_write,
    holds=frozenset({"answers"}),
    asks=("criterion", "text"),
)
