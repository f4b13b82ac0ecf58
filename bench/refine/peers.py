"""Runs in the peers' own environment: `peers.py TEXTS.jsonl SECONDS` prints one JSON line a peer.

Each makes signatures of 112 permutations of the same shingles (3 words) in 28 bands of 4, and asks its own index where
it has one; on as many documents as fit the seconds, counted in CPU time of this one thread.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BANDS, ROWS, WORDS = 28, 4, 3
WORD = re.compile(r"\w+")


def shingles(text: str) -> list[str]:
    words = WORD.findall(text.lower())
    return [" ".join(words[n : n + WORDS]) for n in range(max(len(words) - WORDS + 1, 1))]


def datasketch() -> Callable[[int, str], Any]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))

    def one(n: int, text: str) -> None:
        made = MinHash(num_perm=BANDS * ROWS)
        made.update_batch([shingle.encode() for shingle in shingles(text)])
        index.query(made)
        index.insert(n, made)

    return one


def rensa() -> Callable[[int, str], Any]:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.5, num_perm=BANDS * ROWS, num_bands=BANDS)

    def one(n: int, text: str) -> None:
        made = RMinHash(num_perm=BANDS * ROWS, seed=42)
        made.update(shingles(text))
        index.query(made)
        index.insert(n, made)

    return one


def text_dedup() -> Callable[[int, str], Any]:
    import numpy as np
    from text_dedup import minhash
    from text_dedup.utils.hashfunc import xxh3_32hash

    random = np.random.RandomState(42)
    prime, most = np.uint64((1 << 61) - 1), np.uint32((1 << 32) - 1)
    permutations = (random.randint(1, prime, size=(1, BANDS * ROWS), dtype=np.uint64),
                    random.randint(0, prime, size=(1, BANDS * ROWS), dtype=np.uint64))  # fmt: skip
    ranges = [(n * ROWS, (n + 1) * ROWS) for n in range(BANDS)]

    def one(n: int, text: str) -> None:
        minhash.embed_func(text, n, num_perm=BANDS * ROWS, ngram_size=WORDS, min_length=0, hashranges=ranges,
                           permutations=permutations, hash_func=xxh3_32hash, dtype=np.uint64, max_hash=most,
                           modulo_prime=prime)  # fmt: skip

    return one


def datatrove() -> Callable[[int, str], Any]:
    import tempfile

    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(n_grams=WORDS, num_buckets=BANDS, hashes_per_bucket=ROWS,
                           hash_config=HashConfig(hash_fc="xxhash"))  # fmt: skip
    step = MinhashDedupSignature(tempfile.mkdtemp(), config=config)
    return lambda n, text: step.get_signature(step.get_shingles(text))


def texts(path: Path) -> Iterator[str]:
    with path.open() as file:
        for line in file:
            yield json.loads(line)


def main() -> None:
    path, seconds = Path(sys.argv[1]), float(sys.argv[2])
    for peer in (rensa, datasketch, text_dedup, datatrove):
        try:
            one = peer()
            one(1 << 30, "warm it up with a few words first")
            start, done = time.thread_time(), 0
            for n, text in enumerate(texts(path)):
                one(n, text)
                done += 1
                if time.thread_time() - start > seconds:
                    break
            answer = {"documents": done, "cpu_s": time.thread_time() - start}
        except Exception as error:  # a peer that cannot run here is told as such
            answer = {"error": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps({"peer": peer.__name__, **answer}), flush=True)


if __name__ == "__main__":
    main()
