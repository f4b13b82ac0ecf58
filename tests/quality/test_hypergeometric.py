"""The tail of the hypergeometric distribution, against SciPy's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from cupola.quality.certify.fixed import _hypergeometric_cdf, error_to_aim_at, power


@given(st.integers(1, 200_000), st.data())
def test_the_tail_is_that_of_scipy(population: int, data: st.DataObject) -> None:
    marked = data.draw(st.integers(0, population))
    drawn = data.draw(st.integers(0, min(population, 5_000)))
    most = data.draw(st.integers(-1, drawn + 1))
    theirs = float(hypergeom.cdf(most, population, marked, drawn))
    assert abs(_hypergeometric_cdf(most, population, marked, drawn) - theirs) < 1e-7


def test_the_error_to_aim_at_leaves_the_audit_its_room() -> None:
    aim = error_to_aim_at(1_000, 0.05, 0.99, 5_000)
    assert 0.02 < aim < 0.05
    assert power(aim, 1_000, 0.05, 0.99, 5_000) >= 0.9
    assert power(aim * 1.1, 1_000, 0.05, 0.99, 5_000) < 0.9
    assert error_to_aim_at(1_000, 0.05, 0.99, 1_000) == 0.05, "a census needs no room"
    assert error_to_aim_at(100, 0.01, 0.95, 10_000) == 0.0, "no audit so small could prove it"
