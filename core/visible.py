"""Text of chats and models made safe to look at: what is invisible or turns other text around is named instead.

Escaping for HTML or Markdown is done elsewhere. This is about what escaping leaves in: control characters, marks
that reverse the direction of what follows, tags that no one sees, and halves of surrogate pairs.
"""

from __future__ import annotations

import re

# What is let through: tab and line feed, and the two joiners that emoji and several scripts need.
_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # direction and zero-width marks
    "\u2028\u2029\ufeff\ufff0-\ufffb\ufffe\uffff"  # separators, byte-order mark, annotations, no characters
    "\ud800-\udfff"  # lone surrogates, which no file can hold
    "\U000e0000-\U000e0fff"  # tags and further selectors: text that no one sees
    "]"
)


def visible(text: str) -> str:
    """Return the text with each hidden character named, as in ⟨U+202E⟩; CR LF becomes LF."""
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n"))
