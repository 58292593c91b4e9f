"""Quick looks at a line: most hold no long number and no long token, and then nothing else needs to be asked.

Each look folds the bytes into two kinds and searches one run of them, a microsecond or two for 1.5 KB. A look is
never wrong when it says no. It takes UTF-8 text, or JSON as it stands in a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from tunegate.core.patterns import lazy_pattern

# What may stand between the digits of one number, no-break and thin spaces and typographic hyphens among it.
# What is not seen may stand inside a token too. All bytes but ASCII are left out, and the control characters that
# are no white space: that can only find too much.
_UNSEEN = bytes({*range(0x20), 0x7F, *range(0x80, 0x100)} - {*b"\t\n\r"})
_BETWEEN = b" -./()+\t" + _UNSEEN
SPACES = " \u00a0\u2009\u202f"
HYPHENS = "\\-\u2010\u2011\u2012\u2013"

# JSON may write any sign as an escape: separators and digits, and all of ASCII.
_SEPARATOR_ESCAPES = (b"\\u00a0", b"\\u00A0", b"\\u20", b"\\u002", b"\\u003")
_ASCII_ESCAPES = tuple(b"\\u00%d" % digit for digit in range(2, 8))
# What is not seen, as an escape, and the beginning of a terminal's escape sequence.
_SEQUENCES = (b"\\u001b", b"\\u001B")
_UNSEEN_ESCAPES = (
    *(b"\\u00" + code for code in (b"0", b"1", b"7f", b"7F", b"8", b"9", b"ad", b"AD")),
    *(b"\\u" + code for code in (b"034f", b"034F", b"061", b"180", b"fe", b"FE", b"ff", b"FF", b"db", b"DB")),
    *(b"\\x" + code for code in (b"0", b"1", b"3", b"7", b"8", b"9", b"ad", b"AD")),
)


def _fold(is_in: Callable[[str], bool]) -> bytes:
    return bytes(0x30 if is_in(chr(code)) else 0x20 for code in range(256))


_ESCAPES_IN_NUMBERS = _SEPARATOR_ESCAPES + _UNSEEN_ESCAPES
_ESCAPES_IN_TOKENS = _ASCII_ESCAPES + _SEQUENCES


_DIGITS = _fold(lambda sign: sign in "0123456789")
_TOKENS = _fold(lambda sign: sign.isascii() and (sign.isalnum() or sign in "+/=_-%\\"))


# The shortest number looked for is a telephone number with its country code; the shortest token is a key of AWS.
DIGITS = 8
TOKEN = 20


@lru_cache(maxsize=4)  # several rules ask about the same line in turn
def may_hold_number(raw: bytes) -> bool:
    """Whether a number of eight digits may stand there, grouped or not."""
    return b"0" * DIGITS in raw.translate(_DIGITS, _BETWEEN) or _holds_escape(raw, _ESCAPES_IN_NUMBERS)


@lru_cache(maxsize=4)
def may_hold_token(raw: bytes) -> bool:
    """Whether a word of 20 letters, digits and signs of base64 may stand there."""
    if b"0" * TOKEN in raw.translate(_TOKENS, _UNSEEN) or b"\x1b" in raw:
        return True
    return _holds_escape(raw, _ESCAPES_IN_TOKENS)


def may_hold_address(raw: bytes) -> bool:
    """Whether an IP address may stand there."""
    seen = raw.translate(None, _UNSEEN)
    return (
        _IPV4.search(seen) is not None or _IPV6.search(seen) is not None or _holds_escape(raw, _ESCAPES_IN_NUMBERS)
    )


# Patterns that begin with a fixed sign are found about as fast as the sign.
_IPV4 = lazy_pattern(rb"\.\d{1,3}\.\d{1,3}\.\d")
_IPV6 = lazy_pattern(rb":(?::|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:)")


def _holds_escape(raw: bytes, escapes: tuple[bytes, ...]) -> bool:
    # one byte is found many times faster than two
    return b"\\" in raw and (b"\\u" in raw or b"\\x" in raw) and any(escape in raw for escape in escapes)


_WINDOW = lazy_pattern(rf"\d[\d{SPACES}{HYPHENS}/().]{{{DIGITS - 2},}}\d", re.ASCII)


class Window(NamedTuple):
    """A stretch of a text from `start` to `end` that holds so many digits, and only separators between them."""

    start: int
    end: int
    digits: int


def digit_windows(text: str) -> list[Window]:
    """Return the longest stretches of a text with eight digits or more.

    Every number that is looked for has its digits, or most of them, in one of these: only there is it worth
    trying the patterns, each of which would take longer than this.
    """
    found = (Window(*stretch.span(), sum(map(str.isdigit, stretch.group()))) for stretch in _WINDOW.finditer(text))
    return [window for window in found if window.digits >= DIGITS]
