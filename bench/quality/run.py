"""What is claimed about quality, measured: `python bench/quality` (all) or `--only accuracy,calibration`.

Writes results.json and pictures (SVG) to bench/out/quality, and says of every figure to reach whether it was.
Any folder of sets in the same form can be given: `--data FOLDER`. `--peers no` leaves crowd-kit and cleanlab out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import accuracy
import audits
import calibration
import certificates
import claims
import cost
import crowds
import flags
import kinds
import peer_env
import policy
import report
import sets
import speed
import text
import votes

PARTS = (
    "accuracy",
    "calibration",
    "claims",
    "votes",
    "cost",
    "policy",
    "text",
    "kinds",
    "flags",
    "crowds",
    "certificates",
    "audits",
    "speed",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python bench/quality", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of sets; default: CUPOLA_TEST_DATA or ../shared/data")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "out" / "quality")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--sets", default="", help="only these sets, with commas")
    parser.add_argument("--features", action="append", default=[], metavar="SET=FILE.npy", help="features of the items")
    parser.add_argument("--peers", choices=("yes", "no"), default="yes")
    parser.add_argument("--releases", type=int, default=certificates.RELEASES)
    parser.add_argument("--largest", type=int, default=speed.SIZES[-1], help="judgements of the largest size")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = given.only.split(",")
    root = sets.data_root(given.data)
    features = {pair.split("=", 1)[0]: Path(pair.split("=", 1)[1]) for pair in given.features}
    items = [item for item in sets.real_sets(root, features) if not given.sets or item.name in given.sets.split(",")]
    with_peers = given.peers == "yes"
    path = given.out / "results.json"
    if "accuracy" in wanted and with_peers:
        peer_env.prepare(given.out, [(item.folder / "labels.csv", name) for item in items for name in accuracy.PEERS])
    for part in wanted:
        print(f"\n== {part}", flush=True)
        results: dict[str, Any] = {}
        if part == "accuracy":
            results[part] = accuracy.run(items, given.out, with_peers)
        elif part == "calibration":
            results[part] = calibration.run(items)
        elif part == "claims":
            results[part] = claims.run(items)
        elif part == "votes":
            results[part] = votes.run(items)
        elif part == "cost":
            results[part] = cost.run(items)
        elif part == "policy":
            results[part] = policy.run(items)
        elif part == "text":
            results[part] = text.run(root, given.out, with_peers)
        elif part == "kinds":
            results[part] = kinds.run(root, given.out, with_peers)
        elif part == "flags":
            results[part] = flags.run(items)
        elif part == "crowds":
            results[part] = crowds.run()
        elif part == "certificates":
            results[part] = certificates.run(given.releases)
        elif part == "audits":
            results[part] = audits.run(items)
        elif part == "speed":
            results[part] = speed.run(tuple(size for size in speed.SIZES if size <= given.largest))
        else:
            parser.error(f"there is no part {part!r}")
        # read anew: another part may have been measured meanwhile
        kept = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**kept, **results}, indent=1))
    report.write(json.loads(path.read_text()), given.out)


if __name__ == "__main__":
    main()
