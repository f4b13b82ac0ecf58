"""Text, objects, shapes, comparisons, ratings and sets: the same question asked of other kinds of label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.kernel.errors import Problem
from cupola.labels.shapes.box import Box, BoxType
from cupola.quality.inference.matching import cluster, medoid, weighted_median
from cupola.quality.inference.multilabel import multilabel
from cupola.quality.inference.pairs import TIE, bradley_terry, comparisons_of
from cupola.quality.inference.ratings import rate
from cupola.quality.inference.rover import join_words, key_of, rover, tokenise, word_errors
from cupola.quality.inference.shapes import mask_iou, merge_coordinates, merge_masks, merge_spans

# --- text


def test_words_are_split_at_spaces_and_each_han_or_kana_is_a_word() -> None:
    assert tokenise("The cat，猫です ok") == ["The", "cat", "，", "猫", "で", "す", "ok"]
    assert join_words(tokenise("我爱 Berlin 的雨")) == "我爱Berlin的雨"


def test_spellings_of_a_word_share_a_key() -> None:
    assert key_of("Don’t,") == key_of("don't")
    assert key_of("ＣＡＴ") == "cat"
    assert key_of("--") == ""


def test_each_word_is_decided_by_those_who_heard_it() -> None:
    heard = [
        ("a", "the quick brown fox jumped over the dog"),
        ("b", "the quick brown box jumps over the dog"),
        ("c", "a quick brown fox jumps over the log"),
        ("d", "the quick brown fox jumps over dog"),
    ]
    found = rover({"t": heard}, plain=True)["t"]
    assert found.text == "the quick brown fox jumps over the dog"
    assert found.columns == 8
    assert 0.5 < found.agreement < 1.0


def test_the_written_form_is_the_commonest_spelling_of_the_winner() -> None:
    found = rover({"t": [("a", "Hello World."), ("b", "hello World."), ("c", "Hello world")]})["t"]
    assert found.text == "Hello World."


def test_a_careful_minority_outweighs_careless_twins_it_was_seen_to_beat() -> None:
    rng = np.random.default_rng(0)
    vocabulary = [f"w{n}" for n in range(300)]
    transcripts = {}
    truth = {}
    for task in range(60):
        words = list(rng.choice(vocabulary, 8))
        truth[f"t{task}"] = words
        rows = [(f"good{n}", " ".join(words)) for n in range(2)]
        for n in range(3):
            noisy = [str(rng.choice(vocabulary)) if rng.random() < 0.4 else word for word in words]
            rows.append((f"bad{n}", " ".join(noisy)))
        transcripts[f"t{task}"] = rows
    found = rover(transcripts, plain=True)
    errors = sum(word_errors(tokenise(found[task].text), words) for task, words in truth.items())
    assert errors / 480 < 0.01


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("ab 猫", max_size=12), min_size=1, max_size=5))
def test_any_texts_give_a_text_whose_words_somebody_wrote(texts: list[str]) -> None:
    found = rover({"t": [(str(n), text) for n, text in enumerate(texts)]}, plain=True)["t"]
    written = {key_of(word) for text in texts for word in tokenise(text)}
    assert {key_of(word) for word in tokenise(found.text)} <= written
    assert rover({"t": [("x", texts[0])] * 1}, plain=True)["t"].agreement in (0.0, 1.0)


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_word_errors_are_a_distance(a: list[str], b: list[str]) -> None:
    assert word_errors(a, b) == word_errors(b, a)
    assert (word_errors(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) <= word_errors(a, b) <= max(len(a), len(b))


# --- objects


def boxes(*corners: tuple[float, float, float, float]) -> list[np.ndarray]:
    return [np.array(corner) for corner in corners]


def far(a: np.ndarray, b: np.ndarray) -> float:
    return 1.0 - BoxType().similarity(Box(*a.tolist()), Box(*b.tolist()))


def test_objects_of_several_people_meet_in_clusters_with_one_member_each() -> None:
    people = [
        boxes((0, 0, 10, 10), (50, 50, 10, 10)),
        boxes((51, 51, 10, 10), (1, 1, 10, 10), (200, 200, 5, 5)),
        boxes((1, 0, 10, 10), (2, 0, 10, 10)),
    ]
    found = cluster(people, far)
    assert [len(one.members) for one in found] == [3, 2, 1, 1]
    assert found[0].members[:2] == ((0, 0), (1, 1))
    for one in found:
        assert len({person for person, _ in one.members}) == len(one.members)
    assert sorted(member for one in found for member in one.members) == [
        (person, index) for person in range(3) for index in range(len(people[person]))
    ]


def test_clusters_do_not_depend_on_who_comes_first() -> None:
    rng = np.random.default_rng(3)
    centres = rng.uniform(0, 400, (12, 2))
    people = [
        [
            np.array([x + dx, y + dy, 30, 30])
            for (x, y), (dx, dy) in zip(centres, rng.normal(0, 2, (12, 2)), strict=True)
        ]
        for _ in range(5)
    ]
    found = {frozenset(one.members) for one in cluster(people, far)}
    order = [3, 0, 4, 2, 1]
    again = cluster([people[person] for person in order], far)
    assert {frozenset((order[person], index) for person, index in one.members) for one in again} == found


def test_an_item_without_objects_and_a_person_without_any_are_fine() -> None:
    assert cluster([], far) == []
    assert cluster([[], []], far) == []
    assert cluster([[], boxes((0, 0, 1, 1))], far)[0].support == 0.5


def test_the_weighted_median_is_where_half_of_the_weight_lies() -> None:
    values = np.array([[0.0, 5.0], [1.0, 6.0], [10.0, 7.0]])
    assert weighted_median(values, np.ones(3)).tolist() == [1.0, 6.0]
    assert weighted_median(values, np.array([1.0, 1.0, 5.0])).tolist() == [10.0, 7.0]
    assert weighted_median(values[:2], np.ones(2)).tolist() == [0.5, 5.5]
    with pytest.raises(Problem):
        weighted_median(values, np.zeros(3))


def test_the_medoid_is_the_nearest_to_all() -> None:
    apart = np.abs(np.subtract.outer([0.0, 1.0, 2.0, 9.0], [0.0, 1.0, 2.0, 9.0]))
    assert medoid(apart, np.ones(4)) == 1
    assert medoid(apart, np.array([1.0, 1.0, 1.0, 50.0])) == 3


def test_precise_people_move_the_merged_box_and_are_known_by_it() -> None:
    rng = np.random.default_rng(0)
    noise = [1.0, 1.0, 8.0, 12.0, 15.0]
    truth = rng.uniform(0, 300, (80, 4))
    objects = [{p: truth[i] + rng.normal(0, noise[p], 4) for p in range(5)} for i in range(80)]
    found = merge_coordinates(objects)
    error = np.mean([np.abs(value - t).mean() for value, t in zip(found.values, truth, strict=True)])
    plain = np.mean(
        [np.abs(np.median(list(o.values()), axis=0) - t).mean() for o, t in zip(objects, truth, strict=True)]
    )
    assert error < 0.6 * plain
    assert sorted(found.spread_px, key=lambda person: found.spread_px[person])[:2] in ([0, 1], [1, 0])


def test_masks_merge_pixel_by_pixel_against_a_sloppy_painter() -> None:
    rows, columns = np.mgrid[0:60, 0:60]
    truth = (rows - 30) ** 2 + (columns - 30) ** 2 < 20**2
    shrunk = (rows - 30) ** 2 + (columns - 30) ** 2 < 19**2
    grown = (rows - 30) ** 2 + (columns - 30) ** 2 < 21**2
    aside = (rows - 36) ** 2 + (columns - 30) ** 2 < 20**2
    mask, probability, rates = merge_masks(np.stack([truth, shrunk, grown, aside, truth]))
    assert mask_iou(mask, truth) > 0.95
    assert ((probability >= 0) & (probability <= 1)).all()
    assert rates[0, 0] - rates[0, 1] > rates[3, 0] - rates[3, 1]
    alone, _, _ = merge_masks(np.stack([aside]))
    assert (alone == aside).all()


def test_spans_meet_where_more_than_half_agree() -> None:
    found = merge_spans([[(0, 5), (20, 30)], [(0, 6), (21, 30)], [(1, 5)], [(50, 60)]], 100)
    assert found == [(0, 5)]
    assert merge_spans([[(0, 5)], [(0, 5)], []], 10) == [(0, 5)]
    assert merge_spans([[], []], 10) == []
    with pytest.raises(Problem, match="does not lie"):
        merge_spans([[(5, 200)]], 100)


# --- comparisons


def test_bradley_terry_is_the_maximum_likelihood_fit_of_another_library() -> None:
    choix = pytest.importorskip("choix")
    rng = np.random.default_rng(0)
    strength = rng.normal(0, 1, 8)
    first, second = rng.integers(0, 8, 4000), rng.integers(0, 8, 4000)
    keep = first != second
    first, second = first[keep], second[keep]
    won = rng.random(len(first)) < 1 / (1 + np.exp(-(strength[first] - strength[second])))
    found = bradley_terry(first, second, np.where(won, 0, 1), position_bias=False, rater_care=False)
    winners, losers = np.where(won, first, second), np.where(won, second, first)
    expected = choix.ilsr_pairwise(8, list(zip(winners.tolist(), losers.tolist(), strict=True)), alpha=1e-6)
    expected = expected - expected.mean()
    # ours is held to the middle by a wide prior, so it is a little shorter
    assert np.abs(found.strength - expected).max() < 0.05
    assert found.converged


def test_a_taste_for_the_first_place_careless_raters_and_ties_are_told_from_strength() -> None:
    rng = np.random.default_rng(1)
    strength = np.linspace(-1.5, 1.5, 10)
    rows = []
    for rater in range(10):
        care = 0.0 if rater >= 8 else 1.3
        for _ in range(250):
            a, b = rng.choice(10, 2, replace=False)
            lead = care * (strength[a] - strength[b]) + 0.8
            win, lose = 1 / (1 + np.exp(-(lead - 0.4))), 1 / (1 + np.exp(lead + 0.4))
            u = rng.random()
            rows.append((a, b, 0 if u < win else 1 if u < win + lose else TIE, rater))
    table = np.array(rows)
    found = bradley_terry(table[:, 0], table[:, 1], table[:, 2], table[:, 3])
    assert np.corrcoef(found.strength, strength)[0, 1] > 0.99
    assert found.position_bias == pytest.approx(0.8, abs=0.15)
    assert found.tie == pytest.approx(0.4, abs=0.1)
    assert found.care[8:].max() < found.care[:8].min()


def test_an_unbeaten_item_stays_finite_and_unsure() -> None:
    found = bradley_terry(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([0, 0, 0]))
    assert found.order.tolist() == [0, 1, 2]
    assert np.isfinite(found.strength).all()
    assert (found.error > 0.5).all()


def test_rankings_become_all_their_pairs() -> None:
    first, second, outcome, rater = comparisons_of([[2, 0, 1], [0, 1]])
    assert list(zip(first.tolist(), second.tolist(), rater.tolist(), strict=True)) == [
        (2, 0, 0),
        (2, 1, 0),
        (0, 1, 0),
        (0, 1, 1),
    ]
    assert (outcome == 0).all()


def test_comparing_a_thing_with_itself_is_refused_by_row() -> None:
    with pytest.raises(Problem, match="Row 1"):
        bradley_terry(np.array([0, 2]), np.array([1, 2]), np.array([0, 0]))


# --- ratings and sets


def test_ratings_are_freed_of_the_raters_bias_scale_and_noise() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(5, 1.5, 300)
    bias, scale, noise = rng.normal(0, 1, 20), rng.uniform(0.5, 1.5, 20), rng.uniform(0.2, 1.5, 20)
    item = np.repeat(np.arange(300), 4)
    rater = np.concatenate([rng.permutation(20)[:4] for _ in range(300)])
    rating = 5 + scale[rater] * (truth[item] - 5) + bias[rater] + rng.normal(0, noise[rater])
    found = rate(item, rater, rating)
    plain = np.bincount(item, weights=rating) / 4
    assert np.sqrt(np.mean((found.value - truth) ** 2)) < 0.8 * np.sqrt(np.mean((plain - truth) ** 2))
    assert np.corrcoef(found.bias, bias)[0, 1] > 0.9
    assert np.corrcoef(found.noise, noise)[0, 1] > 0.7
    inside = np.abs(found.value - truth) < 1.96 * found.error
    assert inside.mean() > 0.85


def test_one_rating_and_all_equal_ratings_bring_no_nan() -> None:
    for rating in (np.array([3.0]), np.full(6, 4.0)):
        n = len(rating)
        found = rate(np.arange(n) % 3, np.arange(n) % 2, rating, n_items=5)
        for array in (found.value, found.error, found.bias, found.scale, found.noise):
            assert np.isfinite(array).all()
    with pytest.raises(Problem, match="row 1"):
        rate(np.array([0, 1]), np.array([0, 0]), np.array([1.0, np.inf]))


def test_sets_of_labels_are_decided_class_by_class() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((300, 5)) < [0.5, 0.3, 0.2, 0.1, 0.05]
    task = np.repeat(np.arange(300), 5)
    worker = np.concatenate([rng.permutation(15)[:5] for _ in range(300)])
    flip = rng.random((1500, 5)) < 0.12
    given = [np.flatnonzero(row).tolist() for row in truth[task] ^ flip]
    found = multilabel(task.tolist(), worker.tolist(), given, 5)
    assert (found.chosen == truth).mean() > 0.98
    assert ((found.probability >= 0) & (found.probability <= 1)).all()
    with pytest.raises(Problem, match="Row 0"):
        multilabel([0], [0], [[7]], 5)
