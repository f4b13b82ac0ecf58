"""The tables, the pictures, and each figure to reach: reached or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from accuracy import DESIGN_SETS, PEERS
from claims import WANTED

from cupola.quality.picture import bars, lines

NOT_A_METHOD = ("items", "people an item", "ours", "single")


def write(results: dict[str, Any], out: Path) -> None:
    """Print the verdicts, and write them with the pictures."""
    verdicts: list[tuple[str, str, str]] = []  # figure, found, verdict
    if "accuracy" in results:
        verdicts += _accuracy(results["accuracy"], out)
    if "votes" in results:
        verdicts += _votes(results["votes"])
    if "cost" in results:
        verdicts += _cost(results["cost"])
    if "calibration" in results:
        verdicts += _calibration(results["calibration"], out)
    if "claims" in results:
        verdicts += _claims(results["claims"])
    if "certificates" in results:
        found = results["certificates"]["sequential"]
        verdicts.append(_at_most("false certificates, looked at after every item", found["wrong"], 0.05, "{:.2%}"))
        verdicts.append(_at_most("sequential n at zero errors, 99.7 %", found["n at zero errors"], 1100, "{:.0f}"))
    if "audits" in results:
        verdicts += _audits(results["audits"])
    if "speed" in results:
        verdicts += _speed(results["speed"], out)
    for name, row in results.get("text", {}).items():
        limit = 11.2 if "other" in name else 6.2
        verdicts.append(_at_most(f"word error rate %, {name}", row["ours"], limit, "{:.2f}"))
    for name, groups in results.get("kinds", {}).items():
        verdicts += _kind(name, groups)
    if results.get("flags", {}).get("sets"):
        found = results["flags"]
        verdicts.append(_at_least("colluders found, six with 60 judgements", found["ring found"], 1.0, "{:.1%}"))
        verdicts.append(_at_most("honest workers flagged as colluders", found["honest flagged"], 0.01, "{:.2%}"))
    width = max((len(figure) for figure, _, _ in verdicts), default=0)
    text = "\n".join(f"{figure:{width}}  {found:>32}  {verdict}" for figure, found, verdict in verdicts)
    print("\n== figures to reach\n" + text)
    (out / "figures.txt").write_text(text + "\n")


def _accuracy(found: dict[str, Any], out: Path) -> list[tuple[str, str, str]]:
    sets = found["sets"]
    names = [name for name in sets if len(sets) > 0]
    mean = float(np.mean([sets[name]["blend"]["accuracy"] for name in names]))
    verdicts = [
        _at_least(f"mean accuracy %, {len(names)} sets here (the figure is for 18)", mean, 83.2, "{:.2f}"),
    ]
    loso = found["leave_one_set_out"]["mean"]
    if loso is not None:
        verdicts.append(_at_least("  one prior alone, chosen by leaving the set out", loso, 83.2, "{:.2f}"))
        made_up = found["leave_one_set_out"]["make-up"]["mean"]
        verdicts.append(_at_least("  the make-up of the blend, chosen by leaving the set out", made_up, 83.2, "{:.2f}"))
    design = [name for name in DESIGN_SETS if name in sets and f"peer {PEERS[0]}" in sets[name]]
    behind = []
    for name in design:
        peers = [sets[name][f"peer {peer}"].get("accuracy", 0.0) for peer in PEERS if f"peer {peer}" in sets[name]]
        gap = max(peers) - sets[name]["blend"]["accuracy"]
        if gap > 0.5 + 1e-9:
            behind.append(f"{name} by {gap:.2f}")
    if design:
        verdicts.append(
            (
                f"within 0.5 of the best peer on each of {len(design)}",
                "all" if not behind else "behind: " + ", ".join(behind),
                "reached" if not behind else "NOT reached",
            )
        )
        ours = float(np.mean([sets[name]["blend"]["accuracy"] for name in design]))
        means = {
            peer: float(np.mean([sets[name][f"peer {peer}"]["accuracy"] for name in design]))
            for peer in PEERS
            if all("accuracy" in sets[name].get(f"peer {peer}", {}) for name in design)
        }
        if means:
            best = max(means, key=lambda peer: means[peer])
            told = f"{ours:.2f} against {means[best]:.2f} ({best})"
            verdicts.append(("mean above every peer's", told, "reached" if ours > means[best] else "NOT reached"))
            rows = [(peer, value, value, value) for peer, value in means.items()] + [("blend", ours, ours, ours)]
            (out / "accuracy.svg").write_text(bars(rows, f"Mean accuracy over {len(design)} sets", "%"), "utf-8")
    for name in names:
        if "classifier" in sets[name]:
            told = sets[name]["classifier"]
            verdicts.append(_at_least(f"{name} with a classifier, %", told["joined"], 85.0, "{:.1f}"))
            if told["CROWDLAB"] is not None:
                verdicts.append((f"  CROWDLAB on the same predictions, {name}", f"{told['CROWDLAB']:.1f}", ""))
    return verdicts


def _votes(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    out = []
    for way, told in (("random", "votes in random order"), ("routed", "votes from the better of those who voted")):
        ratio = found[f"median_ratio_{way}"]
        if ratio is not None:
            out.append(_at_least(f"times fewer judgements than full majority, {told}", ratio, 2.5, "{:.2f}"))
            never = found[f"never_{way}"]
            out.append((f"  sets on which it was never reached, {way}", str(never), _verdict(never == 0)))
            lead = found[f"lead_{way}"]
            if lead is not None:
                figure = f"  accuracy with 40 % of the votes less full majority's, mean points, {way}"
                out.append((figure, f"{lead:+.2f}", ""))
    return out


def _cost(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    out = []
    for name, limit in (("sp", 6.5), ("product", 4.2)):
        if name in found:
            verdict = _at_most(f"cost of a certified label, {name}", found[name]["ours"], limit, "{:.2f}")
            told = f"{verdict[1]}; +-{found[name]['error']:.2f}; majority {found[name]['majority']:.2f}"
            out.append((verdict[0], told, verdict[2]))
            beyond = f"{found[name]['orders beyond the limit']} of {len(found[name]['ours, each order'])}"
            out.append((f"  orders in which more was released wrong than promised, {name}", beyond, ""))
    return out


def _kind(name: str, groups: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Boxes and masks: mean IoU of ours and of the best other; pairs: direction of held-out votes."""
    if "held-out votes, direction" in groups:
        held = groups["held-out votes, direction"]
        told = f"{100 * held['Bradley-Terry']:.1f} against {100 * held['majority of the others']:.1f} of a majority"
        better = held["Bradley-Terry"] > held["majority of the others"]
        return [(f"held-out comparisons foretold %, {name}", told, "above" if better else "below")]
    out = []
    for group, row in groups.items():
        others = {key: value for key, value in row.items() if isinstance(value, float) and key not in NOT_A_METHOD}
        best = max(others, key=lambda key: others[key])
        told = f"{row['ours']:.3f}; single {row['single']:.3f}; best other {others[best]:.3f} ({best})"
        out.append((f"mean IoU, {name}, {group}", told, "not below" if row["ours"] >= others[best] else "below"))
    return out


def _claims(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    out = []
    for group in ("sets", "simulated"):
        for golds, limit in WANTED.items():
            row = found[f"mean of {group}"].get(str(golds))
            if row is None:
                continue
            what = f"{group}, {golds} golds"
            out.append(_at_most(f"ECE of files, {what}", row["ECE"], limit, "{:.3f}"))
            out.append(_at_most(f"ECE of the server, {what}", row["server ECE"], limit, "{:.3f}"))
            for way, told in (("", "files"), ("server ", "server")):
                least = f"{row[f'{way}behind']} of {row['drawings']}; least {row[f'{way}least lead']:+.1f}"
                figure = f"  majority ahead by more than a point, {told}, {what}"
                out.append((figure, least, _verdict(row[f"{way}behind"] == 0)))
    row = found["simulated, 20 classes and more"]["0"]
    out.append(_at_most("ECE of files, 20 classes and more, no gold", row["ECE"], 0.05, "{:.3f}"))
    return out


def _audits(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    out = []
    for name, row in found["pooled"].items():
        told = _at_most(f"truth below the bound, {name}", row["misses"] / row["audits"], row["allowed"], "{:.2%}")
        out.append((told[0], f"{told[1]}; {row['misses']} of {row['audits']}", told[2]))
        out.append((f"  sets beyond chance, {name}", str(row["rows beyond"]), _verdict(row["rows beyond"] == 0)))
    slack = max(row["bound"] - row["right"] for row in found["whole"].values())
    out.append(_at_most("bound of a whole audit less what was found", slack, 0.0, "{:.4f}"))
    return out


def _calibration(found: dict[str, Any], out: Path) -> list[tuple[str, str, str]]:
    ticks = [(x / 10, f"{x / 10:.1f}") for x in range(3, 11)]
    picture = lines(
        {name: [(x, y) for x, y in points] for name, points in found["reliability"].items()},
        "How often a claimed confidence is right (all sets, tasks not used for fitting)",
        "claimed",
        "right",
        x_ticks=ticks,
        y_ticks=ticks,
        diagonal=True,
    )
    (out / "reliability.svg").write_text(picture, "utf-8")
    rows = [("raw posterior", found["raw"]), ("0 golds", found["0 golds"])]
    rows += [(name, found[name]) for name in ("50 golds", "300 golds") if found[name] is not None]
    (out / "ece.svg").write_text(bars([(n, v, v, v) for n, v in rows], "Calibration error", "ECE"), "utf-8")
    verdicts = [("ECE raw, and with no gold", f"{found['raw']:.3f}, {found['0 golds']:.3f}", "")]
    for golds, limit in ((50, 0.05), (300, 0.03)):
        if found[f"{golds} golds"] is not None:
            verdict = _at_most(f"ECE with {golds} golds", found[f"{golds} golds"], limit, "{:.4f}")
            chance = found[f"{golds} golds, chance alone"]
            verdicts.append((verdict[0], f"{verdict[1]} (chance alone {chance:.3f})", verdict[2]))
    return verdicts


def _speed(found: dict[str, Any], out: Path) -> list[tuple[str, str, str]]:
    sizes = {int(size): row for size, row in found["sizes"].items()}
    points = [(float(np.log10(size)), float(np.log10(row["cpu_s"]))) for size, row in sizes.items()]
    if len(points) > 1:
        picture = lines(
            {"coin_ds": points, "linear": [(x, points[-1][1] + x - points[-1][0]) for x, _ in points]},
            "Ten iterations, ten classes, one core",
            "judgements",
            "CPU seconds",
            x_ticks=[(e, f"10^{e}") for e in range(4, 8)],
            y_ticks=[(e, f"{10.0**e:g}") for e in range(-3, 2)],
        )
        (out / "scaling.svg").write_text(picture, "utf-8")
    verdicts = []
    if 1_000_000 in sizes:
        verdicts.append(_at_most("1 M judgements, CPU s", sizes[1_000_000]["cpu_s"], 0.25, "{:.3f}"))
        verdicts.append(_at_most("1 M judgements, extra MB", sizes[1_000_000]["extra_mb"], 50, "{:.0f}"))
    if 10_000_000 in sizes:
        verdicts.append(_at_most("10 M judgements, CPU s", sizes[10_000_000]["cpu_s"], 2.5, "{:.2f}"))
    verdicts.append(_at_most("one judgement to a decision, p99 ms", found["online"]["p99_ms"], 1.0, "{:.3f}"))
    return verdicts


def _at_least(figure: str, found: float, limit: float, form: str) -> tuple[str, str, str]:
    return figure, f"{form.format(found)} (>= {form.format(limit)})", _verdict(found >= limit)


def _at_most(figure: str, found: float, limit: float, form: str) -> tuple[str, str, str]:
    return figure, f"{form.format(found)} (<= {form.format(limit)})", _verdict(found <= limit)


def _verdict(reached: bool) -> str:
    return "reached" if reached else "NOT reached"
