r"""Quick looks at a line for the rules about text: whether it holds any byte that the fault cannot be without.

Nearly every line is told by a few searches for a single byte, a microsecond together. A look is never wrong when
it says no. It takes JSON as it stands in a file, where a character may be written as it is, or as an escape:
\u00fc.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from tunegate.core.patterns import lazy_pattern

Look = Callable[[bytes], bool]


@lru_cache(maxsize=2)
def _has_escapes(raw: bytes) -> bool:
    """Whether characters are written as escapes."""
    return b"\\" in raw and b"\\u" in raw


def _look(leads: bytes, written: bytes, escaped: bytes = b"") -> Look:
    r"""Return a look for characters: `written` in UTF-8, or by the digits of their escapes, without the `\u`.

    `leads` are bytes of which one must be there before `written` is searched for; none where it may be any.
    """
    alone = [leads[place : place + 1] for place in range(len(leads))]
    in_bytes = lazy_pattern(written, re.DOTALL)
    # naming both cases of a digit lets the search run from one `\u` to the next, which ignoring case does not
    in_escapes = lazy_pattern(rb"\\u(?:" + escaped + rb")") if escaped else None

    def look(raw: bytes) -> bool:
        for lead in alone:
            if lead in raw:
                if in_bytes.search(raw):
                    return True
                break
        return in_escapes is not None and _has_escapes(raw) and in_escapes.search(raw) is not None

    return look


# A letter from \u00c2 to \u00f4, and what a next byte of UTF-8 becomes in Windows-1252; a C1 control character.
_mojibake = _look(
    b"\xc3",
    rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb]|\xe2[\x80\x82\x84]|\\u)|\xc3\x83 ",
    rb"00(?:[c-fC-F].(?:\\u(?:00[289abAB]|01[5679]|02[cdCD]|20|21)|[\x80-\xff])|[cC]3 |[89])",
)
_c1 = _look(b"\xc2", rb"\xc2[\x80-\x9f]")


def may_hold_mojibake(raw: bytes) -> bool:
    """Whether UTF-8 may stand there that was decoded as Windows-1252."""
    return _mojibake(raw) or _c1(raw)


# Inside a JSON string other control characters must be escaped; `\b` may also be a backslash and a letter.
_control_escape = lazy_pattern(rb"\\(?:[bf]|u00(?:[01]|7[fF]|[89]))")


def may_hold_control(raw: bytes) -> bool:
    """Whether a control character may stand there, other than tab, line feed and carriage return."""
    return (b"\\" in raw and _control_escape.search(raw) is not None) or b"\x7f" in raw or _c1(raw)


_looks_for_invisible = (
    _look(
        b"\xe2",
        rb"\xe2(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0-\xaf])",
        rb"20(?:0[b-fB-F]|2[a-eA-E]|6)|061[cC]|180[eE]|[fF](?:[eE](?:[fF]{2}|0)|[fF]{2}[9abAB])|[dD][bB]40",
    ),
    _look(b"\xef", rb"\xef(?:\xbb\xbf|\xbf[\xb9-\xbb]|\xb8[\x80-\x8f])"),
    _look(b"\xf3", rb"\xf3\xa0[\x80-\x87]"),
    _look(b"\xd8", rb"\xd8\x9c"),
    _look(b"\xe1", rb"\xe1\xa0\x8e"),
)


def may_hold_invisible(raw: bytes) -> bool:
    """Whether a character that cannot be seen may stand there: zero-width, bidirectional or tag characters."""
    if raw.isascii() and not _has_escapes(raw):
        return False
    return any(look(raw) for look in _looks_for_invisible)


def may_be_decomposed(raw: bytes) -> bool:
    """Whether characters may stand there that are not composed: any beyond ASCII."""
    return not raw.isascii() or _has_escapes(raw)


may_hold_replacement = _look(b"\xef", rb"\xef\xbf\xbd", rb"[fF]{3}[dD]")

may_hold_markup = _look(
    b"&<",
    rb"&(?:#|[a-zA-Z][a-zA-Z0-9]{1,30};)|</?[a-zA-Z]",
    rb"00(?:3[cC]|26)",
)

# What a digraph in two scripts needs: a lead byte of Greek or Cyrillic.
_MIXABLE = (b"\xd0", b"\xd1", b"\xce", b"\xcf", b"\xd2", b"\xd3")
_FOLD_SCRIPTS = bytes(
    0x61
    if 0xC3 <= code <= 0xC9 or (code < 0x80 and chr(code).isalpha())
    else 0x63
    if 0xCD <= code <= 0xD4
    else 0x20
    for code in range(256)
)
_CONTINUATION = bytes(range(0x80, 0xC0))
_mixed_escape = lazy_pattern(rb"\\u0[345]")


def may_mix_scripts(raw: bytes) -> bool:
    """Whether a Latin letter may stand beside a Greek or Cyrillic one."""
    if _has_escapes(raw) and _mixed_escape.search(raw):
        return True
    for lead in _MIXABLE:
        if lead in raw:
            folded = raw.translate(_FOLD_SCRIPTS, _CONTINUATION)
            return b"ac" in folded or b"ca" in folded
    return False


_double_escape = lazy_pattern(rb"\\\\(?:n|u[0-9a-fA-F]{4})|\\u005[cC]")


def may_be_escaped_twice(raw: bytes) -> bool:
    """Whether a backslash may stand there that escapes a line feed or a character."""
    return b"\\" in raw and _double_escape.search(raw) is not None


_tick_escape = lazy_pattern(rb"\\u00(?:60|7[eE])")


def may_hold_fence(raw: bytes) -> bool:
    """Whether a code fence may stand there."""
    if (b"`" in raw and b"```" in raw) or (b"~" in raw and b"~~~" in raw):
        return True
    return _has_escapes(raw) and _tick_escape.search(raw) is not None


# Where a line of a text ends in white space, or four more follow; a carriage return; the quote after a blank.
_inner_space = lazy_pattern(rb"\\(?:r|n(?:(?:\\n){4}|(?<=[ \t]..)|(?<=\\t..))|t(?=\\n))")
_odd_spaces = (
    _look(b"\xc2", rb"\xc2[\xa0\xad]", rb"00(?:0[9aAdD]|20|[aA][0dD])|20[02]|3000"),
    _look(b"\xe2", rb"\xe2\x80[\x87\xa8\xa9\xaf]"),
)


def may_hold_inner_space(raw: bytes) -> bool:
    """Whether stray white space may stand inside a text; what stands around it is seen faster in the text."""
    if b"\\" in raw and _inner_space.search(raw):
        return True
    if raw.isascii() and not _has_escapes(raw):
        return False
    return any(look(raw) for look in _odd_spaces)
