"""Bounds are rounded to the side that promises less, the same wherever they are written: in words and on pages."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

DIGITS = 3
"""Significant digits of a bound, unless more are needed to tell it from its limit."""

# Doubles carry 15 to 16 digits; those beyond this are what scaling leaves, as in 0.07 * 100 = 7.000000000000001.
_MOST_DIGITS = 12


def outward(value: float, up: bool, *others: float) -> Decimal:
    """Return a finite bound, rounded `up` where it is an upper one, down where it is a lower one.

    It gets more than `DIGITS` digits where it would look like one of `others`, such as its limit, and is not it.
    """
    exact = Decimal(f"{value:.{_MOST_DIGITS}g}")
    rounded = exact
    for digits in range(DIGITS, _MOST_DIGITS + 1):
        last_place = Decimal(1).scaleb(exact.adjusted() - digits + 1)
        rounded = exact.quantize(last_place, ROUND_CEILING if up else ROUND_FLOOR) if exact else Decimal(0)
        if all(float(rounded) != other or value == other for other in others):
            break
    return rounded
