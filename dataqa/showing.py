"""What may be shown of data: secrets and personal data masked, control characters written out."""

from __future__ import annotations

import json
import re

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.clean import clean
from tunegate.dataqa.masking import STARS, mask
from tunegate.dataqa.personal import find_personal
from tunegate.dataqa.secrets import find_secrets

_STRING = lazy_pattern(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def masked(text: str) -> str:
    """Return the text with secrets and personal data masked."""
    return mask(text, [*find_secrets(text), *find_personal(text)])


def masked_line(raw: bytes) -> str:
    """Return a line of JSON with secrets and personal data masked, also where a repair would uncover them."""
    text = raw.decode("utf-8", "backslashreplace")
    return printable(masked(_STRING.sub(_masked_string, text)))


def _masked_string(literal: re.Match[str]) -> str:
    try:
        value = json.loads(literal.group(), strict=False)
    except ValueError:
        return literal.group()
    hidden = masked(value)
    if not hidden.isascii() and masked(mended := clean(hidden).text) != mended:
        hidden = STARS  # wrongly decoded characters inside: where in this text the secret ends cannot be said
    return literal.group() if hidden == value else json.dumps(hidden, ensure_ascii=False)


def printable(text: str) -> str:
    """Return the text with every character written out that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _written_out(sign) for sign in text)


def _written_out(sign: str) -> str:
    if sign < "\x7f":
        return json.dumps(sign)[1:-1]
    return f"\\u{ord(sign):04x}" if sign <= "\uffff" else f"\\U{ord(sign):08x}"
