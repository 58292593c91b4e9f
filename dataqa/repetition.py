"""Repetition inside a text: a model that was caught in a loop, a copy that was pasted twice.

The measures and their bounds are those of the MassiveText filters of Gopher (Rae et al. 2021, table A1): the share
of a text's characters that its most frequent run of two, three or four words takes, and the share that repeated
runs of five to ten words take. They were made for web pages. Here shorter texts are judged only where they say
little else, and all bounds of repeated runs must be passed, not one: steps of a calculation, each with other
numbers, repeat short runs only.
"""

from __future__ import annotations

import re
from collections import Counter

from tunegate.core.patterns import lazy_pattern

TOP_SHARES = {2: 0.20, 3: 0.18, 4: 0.16}
DUPLICATE_SHARES = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

# In fewer words a share is chance: two equal sentences of ten words are a fifth of a hundred.
MIN_WORDS_OF_TOP = 50
MIN_WORDS_OF_DUPLICATES = 100

# A run that comes three times is a figure of speech, or a list.
MIN_TIMES = 4

# Texts with more different words, or runs of four, than this share cannot reach the bounds, or hardly.
_DISTINCT_WORDS = 0.6
_DISTINCT_RUNS = 0.85

# A short text says the same again and again when it has so few different words.
_MIN_WORDS = 8
_FEW = 0.25

# Longer texts are looked at by samples first.
_LONG = 60
_SAMPLE = 14
_SAMPLES = 2
_VERY_LONG = 800

# Scripts without spaces: the end of the text comes so often before.
_LOOP = 12
_UNSPACED_LENGTH = 80

# Who asks for one of these wants it said again.
_WANTED = r"""(?ix)\b(?:repeat\w*|times|over\ and\ over|chorus|lyrics?|songs?|sing|poems?|refrain|chant|mantra|loop
    |wiederhol\w*|lied\w*|gedicht\w*|stroph\w*|sing\w*|\d+[-\ ]?mal|immer\ wieder)\b"""

_NO_PROSE = lazy_pattern(
    r"^[ \t]*(?:```|~~~).*?^[ \t]*(?:```|~~~)[ \t]*$|^[ \t]*\|[^\n]*$|^(?:\t|    )[^\n]*$",
    re.MULTILINE | re.DOTALL,
)


def repetition_in(text: str) -> str | None:
    """Say what repeats in a text beyond measure; None where nothing does."""
    size = len(text)
    if size < 30 or (size > _LONG and not _may_repeat(text, size)):
        return None
    words = text.split()
    count = len(words)
    if count < _MIN_WORDS:
        return _loop(text) if len(text) >= _UNSPACED_LENGTH and count * 20 < len(text) else None
    distinct = len(set(words))
    if distinct > _DISTINCT_WORDS * count:
        return None
    if distinct <= 2 * _FEW * count and (few := _few_words(words)):
        return few
    if count < MIN_WORDS_OF_TOP:
        return None
    runs = len(set(zip(words, words[1:], words[2:], words[3:], strict=False)))
    return _measured(text) if runs <= _DISTINCT_RUNS * count else None


def wants_repetition(asked: str) -> bool:
    """Whether a text asks for something that is said again and again: a song, a word so many times."""
    return re.search(_WANTED, asked) is not None


def _may_repeat(text: str, size: int) -> bool:
    """Whether a sample of the second half of a text stands before it; two samples, where the text is long.

    Splitting every text into words would take longer than all other rules do. Where most of the second half
    repeats what came before, as in a loop or a text pasted twice, a sample says so; where little does, it may not.
    """
    half = size // 2
    step = max((half - _SAMPLE) // _SAMPLES, 1)
    wanted = 1 if size < _VERY_LONG else 2
    for end in range(size, half, -step):
        if text.find(text[end - _SAMPLE : end], 0, end - _SAMPLE) >= 0:
            wanted -= 1
            if not wanted:
                return True
    return False


def _loop(text: str) -> str | None:
    end = text.rstrip()[-_LOOP:]
    is_said = not text.isascii() and any(map(str.isalpha, end))
    return f"{end!r} comes {text.count(end)} times" if is_said and text.count(end) >= MIN_TIMES else None


def _few_words(words: list[str]) -> str | None:
    bare = [word.strip(".,;:!?").lower() for word in words]
    letters = [word for word in bare if any(map(str.isalpha, word))]
    if len(letters) < 0.8 * len(words):
        return None  # numbers, a matrix, a table
    counts = Counter(letters)
    word, times = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if times < MIN_TIMES or len(counts) > _FEW * len(letters):
        return None
    return f"{word!r} comes {times} times in {len(words)} words"


def _measured(text: str) -> str | None:
    """Say which run of words takes more than its share, counted as Gopher does, code and tables left out."""
    words = _NO_PROSE.sub(" ", text).lower().split()
    total = sum(map(len, words)) + len(words)
    if len(words) < MIN_WORDS_OF_TOP:
        return None
    for length, bound in TOP_SHARES.items():
        counts = Counter(zip(*(words[start:] for start in range(length)), strict=False))
        run, times = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        share = times * (sum(map(len, run)) + length) / total
        if times >= MIN_TIMES and share > bound:
            return f"{' '.join(run)!r} comes {times} times, {share:.0%} of the text"
    if len(words) >= MIN_WORDS_OF_DUPLICATES:
        shares = {length: _duplicated(words, length) / total for length in DUPLICATE_SHARES}
        if all(shares[length] > bound for length, bound in DUPLICATE_SHARES.items()):
            return f"runs of ten words that came before are {shares[10]:.0%} of the text"
    return None


def _duplicated(words: list[str], length: int) -> int:
    """Return how many characters stand in runs of so many words that came before."""
    seen = set()
    repeated, place = 0, 0
    while place <= len(words) - length:
        run = tuple(words[place : place + length])
        if run in seen:
            repeated += sum(map(len, run)) + length
            place += length
        else:
            seen.add(run)
            place += 1
    return repeated
