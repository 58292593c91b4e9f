r"""What keeps a text from being read as it is meant: characters that are not seen, and escapes written out.

A token with a zero-width space inside, or with `\\u0067` for its first letter as arguments in JSON may have it, is
no less a token: a program that takes out the one or reads the other has it whole.
"""

from __future__ import annotations

import re

from tunegate.core.patterns import lazy_pattern

# What the repairs of TXT002, TXT003 and TXT007 take out, wherever it stands, and what else has no width. White
# space and line ends are not among them: they part words.
_UNSEEN_SIGNS = (
    "\x00-\x08\x0e-\x1b\x1f\x7f\x81\x8d\x8f\x90\x9d\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef"
)
UNSEEN = lazy_pattern(
    f"\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b\n]{{0,200}}(?:\x07|\x1b\\\\)|[{_UNSEEN_SIGNS}]+"
)
# Of an escape inside an escaped text the backslashes are doubled, once for each layer: all of them go with it.
_ESCAPE = lazy_pattern(
    r"(?<!\\)\\++(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\++u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<code>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2})|(?P<short>[bfnrt\"'/]))"
)
_SHORT = {"b": "", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def hiding(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, what is read there) of every stretch that hides what a text says, in its order."""
    found = [(*unseen.span(), "") for unseen in UNSEEN.finditer(text)] if _may_hold_unseen(text) else []
    if "\\" in text:
        found += [(*escape.span(), _read(escape)) for escape in _ESCAPE.finditer(text)]
        found.sort()
    return found


# Python calls these printable: they stand over or after a letter.
_PRINTABLE_LEADS = ("\u034f".encode(), "\ufe0f".encode()[:2], "\U000e0100".encode()[:2])


def _may_hold_unseen(text: str) -> bool:
    if not text.replace("\n", "").replace("\t", "").isprintable():
        return True
    if text.isascii():
        return False
    raw = text.encode()
    return any(lead in raw for lead in _PRINTABLE_LEADS)


def _read(escape: re.Match[str]) -> str:
    if short := escape["short"]:
        return _SHORT.get(short, short)
    if low := escape["low"]:
        sign = chr(0x10000 + ((int(escape["high"], 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    else:
        sign = chr(int(escape["code"] or escape["byte"], 16))
    return "" if UNSEEN.fullmatch(sign) else sign
