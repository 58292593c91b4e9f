from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.rounding import outward


@pytest.mark.parametrize(
    ("value", "up", "others", "text"),
    [
        (59.663, False, (), "59.6"),
        (59.663, True, (), "59.7"),
        (-59.663, False, (), "-59.7"),
        (-59.663, True, (), "-59.6"),
        (0.07 * 100, True, (), "7.00"),
        (99.96, True, (), "100.0"),
        (99.96, True, (100.0,), "99.96"),
        (0.99962, True, (1.0,), "0.9997"),
        (1.0, True, (1.0,), "1.00"),
        (12_345.0, False, (), "12300"),
        (12_345.0, True, (), "12400"),
        (0.0, True, (0.0,), "0"),
        (-0.0, False, (), "0"),
        (1.2e-6, True, (), "0.00000120"),
    ],
)
def test_examples(value: float, up: bool, others: tuple[float, ...], text: str) -> None:
    assert f"{outward(value, up, *others):f}" == text


@settings(max_examples=300, deadline=None)
@given(st.floats(1e-300, 1e300), st.booleans())
def test_a_bound_never_promises_more_than_it_holds(size: float, negative: bool) -> None:
    value = -size if negative else size
    low, high = float(outward(value, up=False)), float(outward(value, up=True))

    noise = 1e-11 * size
    assert low - noise <= value <= high + noise
    assert high - low <= 0.0101 * size


@settings(max_examples=300, deadline=None)
@given(st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.booleans())
def test_a_bound_is_told_from_its_limit(value: float, limit: float, up: bool) -> None:
    if abs(value - limit) > 1e-9 * max(value, limit):
        assert float(outward(value, up, limit)) != limit
