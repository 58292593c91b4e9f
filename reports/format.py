"""How numbers are written, in this one place.

    count     12 034            whole numbers, groups of three apart
    percent   92.3 %            a share of 1 that was measured; one decimal, two digits below 1 %
    points    +1.4 pts          a difference of shares, in percentage points, always signed
    width     1.4 pts           the size of such a difference, without a sign
    number    12.41             four significant digits
    share     85 %              a share of 1 that someone set; as short as it is
    span      2 pts             a difference of shares that someone set
    plain     0.0003            a number that someone set
    change    -0.52             a difference of numbers, four significant digits, always signed
    p         0.0043            a probability of a test
    seconds   4 min 12 s        a duration
    bytes     1.2 MB            a size, in powers of 1,000

`bound` writes the ends of intervals: three significant digits, rounded to the side that promises less, as in the
gate's sentences, and more where a bound would look like the limit that it is held against.

A value that is not 0 is never written as 0, and a share that is not 1 never as 100 %: decimals are added until
it shows. What is exactly 0 or 100 % has no decimals. Groups are set apart by a narrow space, which reads the same
in English and in German; minus and times are the true signs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from tunegate.core.rounding import DIGITS, outward

SPACE = "\u202f"  # between groups of digits
GAP = "\u00a0"  # before a unit
TIMES = "\u00d7"
MINUS = "\u2212"

# More decimals than this tell nothing: doubles carry about 16 digits.
MOST_DECIMALS = 15

# Between these a number is written out; beyond them with a power of ten.
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-4, 1e9

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_number(value: object) -> bool:
    """Whether a value is a finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _fixed(value: float, decimals: int, *whole: float) -> str:
    """Write with `decimals`, or with as many more as it takes not to look like 0 or one of `whole`."""
    if value == 0 or value in whole:
        return f"{value:.0f}"
    while decimals < MOST_DECIMALS:
        text = f"{value:,.{decimals}f}"
        if all(float(text.replace(",", "")) != limit for limit in (0.0, *whole)):
            break
        decimals += 1
    return _grouped(f"{value:,.{decimals}f}")


def _grouped(text: str) -> str:
    return text.replace(",", SPACE).replace("-", MINUS)


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else text


def count(value: float) -> str:
    """Write a whole number: 12 034."""
    return _grouped(f"{int(value):,}") if value == int(value) else number(value)


def percent(value: float) -> str:
    """Write a share of 1 in percent: 92.3 %, 0.99 %, 0.040 %, 99.97 %."""
    return f"{_fixed(value * 100, _decimals_of_share(value), 100.0)}{GAP}%"


def _decimals_of_share(value: float) -> int:
    """Return 1, or as many decimals as show two digits of a share below 1 %."""
    size = abs(value) * 100
    return 1 if size >= 1 or size == 0 else min(MOST_DECIMALS, 1 - math.floor(math.log10(size)))


def points(value: float) -> str:
    """Write a difference of shares in percentage points: +1.4 pts."""
    return _signed(width(value), value)


def width(value: float) -> str:
    """Write the size of a difference of shares: 1.4 pts."""
    return f"{_fixed(value * 100, _decimals_of_share(value))}{GAP}pts"


def number(value: float) -> str:
    """Write any number with four significant digits: 12.41, 0.005123, 2 341, 3.1e-7 with a raised power."""
    if value == 0:
        return "0"
    size = abs(value)
    if not SMALLEST_PLAIN <= size < LARGEST_PLAIN:
        return _power_of_ten(value, 4)
    decimals = max(0, 3 - math.floor(math.log10(size)))
    return _grouped(f"{value:,.{decimals}f}")


def share(value: float) -> str:
    """Write a share that someone set: 85 %, 0.5 %."""
    return f"{plain(value * 100)}{GAP}%"


def span(value: float) -> str:
    """Write a difference of shares that someone set: 2 pts."""
    return f"{plain(value * 100)}{GAP}pts"


def plain(value: float) -> str:
    """Write a number that someone set, as short as it is: 2, 0.0003."""
    # Ten digits take away what binary fractions add: 0.07 times 100 is 7.000000000000001.
    text = f"{value:.10g}"
    return _power_of_ten(value, 4) if "e" in text else _grouped(f"{Decimal(text):,f}")


def change(value: float) -> str:
    """Write a difference of numbers, signed: -0.52."""
    return _signed(number(value), value)


def p(value: float) -> str:
    """Write a probability: 0.140, 0.0043, 3.1e-7 with a raised power."""
    if value == 0 or value >= 0.1:
        return _fixed(value, 3, 1.0)
    if value < SMALLEST_PLAIN:
        return _power_of_ten(value, 2)
    return f"{value:.{1 - math.floor(math.log10(value))}f}"


def _power_of_ten(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{_grouped(mantissa)} {TIMES} 10{str(int(exponent)).translate(_RAISED)}"


def seconds(value: float) -> str:
    """Write a duration: 0.42 s, 7.5 s, 42 s, 4 min 12 s, 1 h 04 min."""
    if value < 10:
        return f"{_fixed(value, 1)}{GAP}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}{GAP}s"
    if whole < 3600:
        return f"{whole // 60}{GAP}min {whole % 60:02d}{GAP}s"
    return f"{_grouped(f'{whole // 3600:,}')}{GAP}h {whole % 3600 // 60:02d}{GAP}min"


def size(value: float) -> str:
    """Write a number of bytes: 812 bytes, 1.2 MB."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= bytes_:
            return f"{value / bytes_:.1f} {unit}"
    return f"{int(value)} bytes"


FORMATS: dict[str, Callable[[float], str]] = {
    "count": count,
    "percent": percent,
    "points": points,
    "width": width,
    "number": number,
    "share": share,
    "span": span,
    "plain": plain,
    "change": change,
    "p": p,
    "seconds": seconds,
    "bytes": size,
}


def write(value: float, kind: str) -> str:
    """Write a value in one of the `FORMATS`."""
    return FORMATS[kind](value)


# Forms of what was measured: factor, unit, and whether they are signed. Only these can be bounds.
_BOUNDS = {
    "percent": (100.0, f"{GAP}%", False),
    "points": (100.0, f"{GAP}pts", True),
    "width": (100.0, f"{GAP}pts", False),
    "number": (1.0, "", False),
    "change": (1.0, "", True),
}


def bound(value: float, kind: str, up: bool, limit: float | None = None) -> str:
    """Write an end of an interval, rounded `up` or down: +59.6 pts, at most 0.995 %."""
    factor, unit, signed = _BOUNDS[kind]
    others = [100.0] if kind == "percent" else []
    if limit is not None:
        others.append(limit * factor)
    rounded = outward(value * factor, up, *others)
    plain_size = not rounded or SMALLEST_PLAIN <= abs(rounded) < LARGEST_PLAIN
    text = _grouped(f"{rounded:,f}") if plain_size or unit else _power_of_ten(float(rounded), DIGITS)
    return (_signed(text, value) if signed else text) + unit
