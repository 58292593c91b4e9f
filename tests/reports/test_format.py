"""How numbers are written: nothing is shown as 0 that is not, and what is written can be read back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.reports import format as form

RELAXED = settings(deadline=None, max_examples=200)
SHARES = st.floats(min_value=0.0, max_value=1.0)
NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_subnormal=False)


def plain(text: str) -> str:
    return text.replace(form.SPACE, "").replace(form.GAP, " ").replace(form.MINUS, "-")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("count", 12034, "12034"),
        ("count", 0, "0"),
        ("percent", 0.9233, "92.3 %"),
        ("percent", 1 / 201, "0.50 %"),
        ("percent", 0.0004, "0.040 %"),
        ("percent", 0.0, "0 %"),
        ("percent", 1.0, "100 %"),
        ("percent", 0.9997, "99.97 %"),
        ("percent", 1e-9, "0.00000010 %"),
        ("points", 0.014, "+1.4 pts"),
        ("points", -0.024, "-2.4 pts"),
        ("points", 0.0, "0 pts"),
        ("width", 0.034, "3.4 pts"),
        ("share", 0.85, "85 %"),
        ("share", 0.07, "7 %"),
        ("share", 0.005, "0.5 %"),
        ("span", 0.02, "2 pts"),
        ("plain", 3e-4, "0.0003"),
        ("plain", 123.4, "123.4"),
        ("plain", 2.0, "2"),
        ("plain", 1e-8, "1.000 × 10⁻⁸"),
        ("number", 12.4071, "12.41"),
        ("number", 0.005123, "0.005123"),
        ("number", 2341.2, "2341"),
        ("number", 3.1e-7, "3.100 × 10⁻⁷"),
        ("change", -0.5204, "-0.5204"),
        ("p", 0.14, "0.140"),
        ("p", 0.0043, "0.0043"),
        ("p", 1.0, "1"),
        ("p", 0.99999, "0.99999"),
        ("p", 3.1e-7, "3.1 × 10⁻⁷"),
        ("seconds", 0.42, "0.4 s"),
        ("seconds", 42.3, "42 s"),
        ("seconds", 59.7, "1 min 00 s"),
        ("seconds", 252, "4 min 12 s"),
        ("seconds", 3840, "1 h 04 min"),
        ("bytes", 812, "812 bytes"),
        ("bytes", 1_234_567, "1.2 MB"),
    ],
)
def test_examples(kind: str, value: float, text: str) -> None:
    assert plain(form.write(value, kind)) == text


def test_every_form_has_an_example() -> None:
    named = {mark.args[1][index][0] for mark in test_examples.pytestmark for index in range(len(mark.args[1]))}
    assert named == set(form.FORMATS)


@RELAXED
@given(SHARES)
def test_a_share_is_never_shown_as_none_or_all_unless_it_is(value: float) -> None:
    text = plain(form.percent(value)).removesuffix(" %")
    # Doubles that are less than 1e-15 away from 0 % or 100 % are beyond what decimals can show.
    if 1e-15 < value < 1 - 1e-15:
        assert float(text) not in (0.0, 100.0)
    assert math.isclose(float(text), 100 * value, abs_tol=0.05)


@RELAXED
@given(NUMBERS)
def test_numbers_are_read_back(value: float) -> None:
    mantissa, _, power = plain(form.number(value)).partition(" × 10")
    factor = 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    assert math.isclose(float(mantissa) * factor, value, rel_tol=5.1e-4)
    assert (float(mantissa) == 0) == (value == 0)


@pytest.mark.parametrize(
    ("kind", "value", "up", "limit", "text"),
    [
        ("points", 0.59663, False, None, "+59.6 pts"),
        ("points", -0.0174, False, -0.02, "-1.74 pts"),
        ("points", -0.020001, False, -0.02, "-2.01 pts"),
        ("points", -0.019999, False, -0.02, "-1.9999 pts"),
        ("points", 0.0, False, None, "0 pts"),
        ("percent", 0.00993, True, 0.01, "0.993 %"),
        ("percent", 0.009999, True, 0.01, "0.9999 %"),
        ("percent", 0.9999, True, None, "99.99 %"),
        ("width", 0.03411, True, None, "3.42 pts"),
        ("number", 12_345.0, True, None, "12400"),
        ("number", 3.1234e-7, False, None, "3.12 × 10⁻⁷"),
        ("change", 0.9, False, None, "+0.900"),
        ("change", -0.5204, True, None, "-0.520"),
    ],
)
def test_bounds_are_rounded_outwards(kind: str, value: float, up: bool, limit: float | None, text: str) -> None:
    assert plain(form.bound(value, kind, up, limit)) == text


@RELAXED
@given(SHARES, SHARES, st.booleans())
def test_a_bound_is_told_from_its_limit(value: float, limit: float, up: bool) -> None:
    if abs(value - limit) > 1e-9:
        assert form.bound(value, "percent", up, limit) != form.share(limit)
        assert float(plain(form.bound(value, "percent", up, limit)).removesuffix(" %")) != 100 * limit


@pytest.mark.parametrize("value", [None, True, "1", math.nan, math.inf, []])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert not form.is_number(value)
