"""Likeness of texts: the Jaccard index over runs of five words or characters."""

from __future__ import annotations

import unicodedata

from tunegate.core.patterns import lazy_pattern

LENGTH = 5
"""Words or characters in a shingle."""

_WORD = lazy_pattern(r"\w+")

# In ASCII the words are what is left when all else becomes spaces, which takes half the time of the pattern.
_SPACED = bytes(code if chr(code).isalnum() or code == ord("_") else 0x20 for code in range(128)) + bytes(128)

# Scripts that write no spaces between words: Thai, Lao, Myanmar, Khmer, Chinese, Japanese.
_UNSPACED = lazy_pattern(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)

Shingle = tuple[str, ...] | str


def units(text: str, kind: str) -> list[str] | str:
    """Return what shingles are runs of: the words of a text, or the text itself for its characters.

    Words are runs of letters, digits and underscores after NFKC and case folding; characters are those after NFKC,
    case folding and white-space folding. `kind` is "word5" or "char5"; a text of which most letters are of a
    script without spaces is taken by characters anyway.
    """
    worded = kind == "word5" and is_worded(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
        return (worded and _WORD.findall(text)) or " ".join(text.split())
    text = text.lower()
    return text.encode().translate(_SPACED).decode().split() if worded else " ".join(text.split())


def is_worded(text: str) -> bool:
    """Whether a text has words, and most of its letters are of scripts that write spaces between them."""
    if text.isascii() or not _UNSPACED.search(text):
        return _WORD.search(text) is not None
    return len(_UNSPACED.findall(text)) * 2 <= sum(map(str.isalpha, text))


def shingles(text: str, kind: str = "word5") -> frozenset[Shingle]:
    """Return the set of a text's shingles; one where a text is shorter than five units, none where empty."""
    found = units(text, kind)
    if isinstance(found, str):
        starts = range(max(len(found) - LENGTH + 1, 1 if found else 0))
        return frozenset(found[start : start + LENGTH] for start in starts)
    if len(found) <= LENGTH:
        return frozenset([tuple(found)])
    return frozenset(zip(found, found[1:], found[2:], found[3:], found[4:], strict=False))


def jaccard(one: frozenset[Shingle], other: frozenset[Shingle]) -> float:
    """Return the Jaccard index of two sets: shared over all; 0 where one is empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def similarity(one: str, other: str, kind: str = "word5") -> float:
    """Return how alike two texts are, from 0 to 1."""
    return jaccard(shingles(one, kind), shingles(other, kind))
