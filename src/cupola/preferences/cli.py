"""`cupola arena …` and `cupola judge …`: votes and judges in files, with no server and no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.table import Table

from cupola.kernel.terminal import Plain, json_text
from cupola.preferences import judges, judging_files, style, votes
from cupola.preferences.board import Board, Intervals, board, boards
from cupola.preferences.davidson import Ties
from cupola.preferences.files import Refused
from cupola.preferences.judges import Judged, Rule, Share

out, err = Plain(), Plain(stderr=True)
arena = App(name="arena", help="Boards of models from votes on pairs, with intervals.")
judge = App(name="judge", help="Models that judge, checked against people.")
Json = Annotated[bool, Parameter(name="--json", negative="", help="The figures as JSON on stdout.")]
SliceBy = Annotated[str | None, Parameter(name="--slice", help="A column to tell votes apart by; each part by itself.")]
Confidence = Annotated[float, Parameter(help="Of the intervals.")]
EXIT_PARTLY = 1  # some rows were not read
MOST_TOLD = 10


@arena.command(name="fit")
def fit_command(
    file: Annotated[Path, Parameter(help="Votes: .jsonl, .json, .csv, .tsv or .parquet; model_a, model_b, winner.")],
    *,
    style_: Annotated[
        str, Parameter(name="--style", help=f"Held equal, with commas: {', '.join(style.FEATURES)}, or 'all'.")
    ] = "",
    order: Annotated[bool, Parameter(negative="", help="Estimate what being shown first adds.")] = False,
    ties: Annotated[Ties, Parameter(help="davidson: a chance of their own; half: half a win for each.")] = "davidson",
    intervals: Annotated[Intervals, Parameter(help="How the intervals are made.")] = "sandwich",
    by_rater: Annotated[bool, Parameter(negative="", help="Votes of one rater are not independent.")] = False,
    draws: Annotated[int, Parameter(help="Of the bootstrap.")] = 200,
    seed: int = 0,
    confidence: Confidence = 0.95,
    slice_by: SliceBy = None,
    json_out: Json = False,
) -> int:
    """Rank models by votes on pairs of their answers: Bradley-Terry with ties, intervals, and style held equal.

    Columns model_a, model_b, winner (model_a, model_b, tie; left and right, first and second, 1 and 2 are understood),
    or items with answers and votes. What cannot be read is told, and the rest is fitted. Exit code 1: not all was read.
    """
    read = votes.read(file, slice_by=slice_by)
    features = sorted(read.style) if style_ == "all" else [name.strip() for name in style_.split(",") if name.strip()]
    how: dict[str, Any] = {"features": features, "order": order, "ties": ties, "intervals": intervals,
                           "by_rater": by_rater, "draws": draws, "seed": seed, "confidence": confidence}  # fmt: skip
    whole = board(read, **how)
    parts, left = boards(read, **how) if slice_by else ({}, {})
    if json_out:
        say({"board": msgspec.to_builtins(whole), "slices": msgspec.to_builtins(parts), "without": left,
             "refused": msgspec.to_builtins(read.refused)})  # fmt: skip
    else:
        _print_board(whole, "")
        for name, one in parts.items():
            _print_board(one, name)
        for name, why in left.items():
            err.print(f"no board for {name}: {why}", highlight=False, markup=False, soft_wrap=True)
        _remarks(read.refused)
    return EXIT_PARTLY if read.refused else 0


def _print_board(found: Board, name: str) -> None:
    shown = Table("place", "model", "score", f"{found.confidence:.0%}", "votes", title=name or None)
    for one in found.standings:
        place = str(one.place) if one.best == one.worst else f"{one.place} ({one.best}-{one.worst})"
        ends = "no bound" if one.score_low is None else f"{one.score_low:.0f} .. {one.score_high:.0f}"
        shown.add_row(place, one.model, f"{one.score:.0f}", ends, str(one.votes))
    out.print(shown)
    out.print(f"{found.votes} votes, {found.tied} of them ties; {found.method}", highlight=False)
    for effect in found.effects:
        out.print(f"{effect.name}: {effect.value:+.3f} ({effect.low:+.3f} .. {effect.high:+.3f}) logits",
                  highlight=False, markup=False)  # fmt: skip
    for note in found.notes:
        err.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)


@judge.command(name="calibrate")
def calibrate_command(
    files: Annotated[list[Path], Parameter(help="Items with votes and judges, or long tables; joined by their id.")],
    *,
    judges_: Annotated[
        list[str] | None, Parameter(name="--judge", help="A rater who is a judge; may be given several times.")
    ] = None,
    target: Annotated[
        float, Parameter(help="What 'judge + one person' must share with the majority of people.")
    ] = 0.98,
    confidence: Confidence = 0.95,
    seed: int = 0,
    slice_by: SliceBy = None,
    json_out: Json = False,
) -> int:
    """Say how far judges agree with people, how often they flip with the order, and where one may stand in for people.

    Columns: item, rater or judge, value, and order (12 or 21) where the judge saw both; or items with votes and judges.
    A judge stands in ("judge + one person") only where these items certify it, under the reference they name: the
    majority of all people. Exit code 1: not all was read.
    """
    items, refused = judging_files.read(files, slice_by=slice_by, judges=judges_ or ())
    among = judges.people(items)
    found = judges.calibrate(items, target=target, confidence=confidence, seed=seed)
    rates = {name: judges.win_rate(items, name, confidence=confidence) for name in {one.judge for one in found}}
    if json_out:
        told = {name: {"people": pair[0], "with_judge": pair[1]} for name, pair in sorted(rates.items()) if pair}
        say({"people": msgspec.to_builtins(among), "judges": msgspec.to_builtins(found),
             "win_rate_of_first": msgspec.to_builtins(told), "refused": msgspec.to_builtins(refused)})  # fmt: skip
        return EXIT_PARTLY if refused else 0
    alpha = "-" if among.alpha.value is None else f"{among.alpha.value:.3f}"
    out.print(f"{among.items} items, {among.votes} votes of {among.raters} people: alpha {alpha}, "
              f"{among.unanimous:.1%} unanimous", highlight=False)  # fmt: skip
    for first, second, kappa, shared in among.kappas[:MOST_TOLD]:
        told_kappa = "-" if kappa is None else f"{kappa:.3f}"
        out.print(f"kappa of {first} and {second}: {told_kappa} ({shared} items)", highlight=False, markup=False)
    if among.asked is not None:
        out.print(f"two people, a third where they differ: {among.asked:.3f} judgements an item, "
                  f"{among.same:.1%} as the majority of three", highlight=False)  # fmt: skip
    shown = Table("judge", "items", "flips", "agrees with one person", "people with each other", "judge + one person")
    for one in found:
        name = f"{one.judge} · {one.slice}" if one.slice else one.judge
        if one.items:
            shown.add_row(name, str(one.items), _share(one.flips), _share(one.agreement), _share(one.people),
                          _rule(one.rule))  # fmt: skip
    out.print(shown)
    for name, pair in sorted(rates.items()):
        if pair:
            plain, helped = pair
            out.print(f"the first answer wins {plain.value:.1%} ({plain.low:.1%} .. {plain.high:.1%}) by people; with "
                      f"{name} {helped.value:.1%} ({helped.low:.1%} .. {helped.high:.1%}), as {helped.effective:.2f} "
                      "times as many people", highlight=False, markup=False)  # fmt: skip
    _tell_orders(found)
    _remarks(refused)
    return EXIT_PARTLY if refused else 0


def _share(one: Share | None) -> str:
    return "-" if one is None else f"{one.value:.1%} ({one.low:.1%}-{one.high:.1%})"


def _rule(rule: Rule | None) -> str:
    if rule is None:
        return f"too few items (under {judges.LEAST_ITEMS} with 3 people)"
    word = "certified" if rule.certified else "not certified"
    return f"{word}: ≥ {1.0 - rule.error_high:.1%} the same, {rule.judgements:.2f} people an item"


def _tell_orders(found: list[Judged]) -> None:
    one_sided = sorted({one.judge for one in found if not one.slice and one.both_orders < one.items})
    if one_sided:
        err.print(f"note: {', '.join(one_sided)} saw items in one order only: what follows the order, not the answers, "
                  "is not known there", highlight=False, markup=False, soft_wrap=True)  # fmt: skip


def say(document: dict[str, Any]) -> None:
    """Figures for programs."""
    sys.stdout.write(json_text(document) + "\n")


def _remarks(refused: list[Refused]) -> None:
    for one in refused[:MOST_TOLD]:
        err.print(f"not read: {one.place} {one.reason}", soft_wrap=True, highlight=False, markup=False)
    if len(refused) > MOST_TOLD:
        err.print(f"… and {len(refused) - MOST_TOLD} more (all of them with --json)")
