"""Homoglyphs: letters of another script inside a word, which look like its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunegate.core.patterns import lazy_pattern

_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_CYRILLIC = "\u0400-\u052f"
_IS_LATIN = lazy_pattern(f"[{_LATIN}]")

# Letters that look the same in most typefaces, from Unicode's confusables (Technical Standard 39). Small Greek
# letters but for omicron are left out: they are signs of physics and biology, as in "TNF\u03b1" and "\u03bcm".
_LIKE_LATIN = frozenset("АВЕЅІЈКМНОРСТУХѴԌԚԜаеорсухѕіјһԁԛԝӏѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")
_LIKE_OTHERS = frozenset("ABCEHIJKMNOPSTXYZaceijopsxyh")

# Shorter words are formulas.
_SHORTEST = 3
_BESIDE = lazy_pattern(f"[{_LATIN}][{_GREEK}{_CYRILLIC}]|[{_GREEK}{_CYRILLIC}][{_LATIN}]")
_WORD = lazy_pattern(f"[{_LATIN}{_GREEK}{_CYRILLIC}]{{{_SHORTEST},}}")
# Words of one script with an ending in another: Russian inflects "PDF" and "SMS" by letters of its own.
_INFLECTED = lazy_pattern("[A-Z]{2,}[\u0430-\u045f]+|[\u0430-\u045f]+[A-Z]{2,}")

# Who speaks of such letters may show them.
_ABOUT = lazy_pattern(r"homogl|homograph|cyrillic|kyrill|кирилл|greek|griechisch|unicode|punycode", re.IGNORECASE)


def mixed_words(text: str) -> Iterator[tuple[str, str]]:
    """Give each word that holds letters of another script which look like its own, and the first such letter."""
    if not _BESIDE.search(text) or _ABOUT.search(text):
        return
    for found in _WORD.finditer(text):
        word = found[0]
        latin = [sign for sign in word if _IS_LATIN.match(sign)]
        others = [sign for sign in word if not _IS_LATIN.match(sign)]
        if not latin or not others or _INFLECTED.fullmatch(word):
            continue
        strangers, looks_alike = (others, _LIKE_LATIN) if len(latin) >= len(others) else (latin, _LIKE_OTHERS)
        if looks_alike.issuperset(strangers):
            yield word, strangers[0]
