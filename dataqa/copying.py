"""Answers that give back what was asked: an export that put the question into both places.

How alike two texts are is 2 L / (|a| + |b|), L being the longest common subsequence of their words as difflib
finds it. It is computed only where length and words say that it may be high.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher

from tunegate.core.patterns import lazy_pattern

MIN_RATIO = 0.9

# Greetings are given back ("Good morning, nice to meet you"), and short questions may be echoed.
MIN_LENGTH = 30
MIN_WORDS = 5

# Longer texts are compared by their beginning.
_LONGEST = 2000

_SAMPLE = 8

_WORD = lazy_pattern(r"\w+")

# Who asks for one of these wants much of the text back.
_WANTED = r"""(?ix)\b(?:
      repeat|echo|proof[ -]?read\w*|correct\w*|grammar|grammatical\w*|spell\w*|typos?|fix|re-?write|rephrase\w*
      |paraphras\w*|(?:re)?format\w*|punctuat\w*|capitali[sz]e\w*|upper\ ?case|lower\ ?case|copy|quote|verbatim
      |translat\w*|edit(?:ed|ing)?|revise\w*|improve\w*|polish|normali[sz]e\w*|anonymi[sz]e\w*|redact\w*|mask
      |replace\w*|clean\w*|extract\w*|transcri\w*|summar\w*|convert\w*|sort|reorder|simplif\w*|restore|annotat\w*
      |complete|continue|fill\ in|sing|recite|say\ after|read\ back|shorten\w*|remove\w*
      |wiederhol\w*|korrigier\w*|korrektur\w*|rechtschreib\w*|grammatik\w*|tippfehler\w*|verbesser\w*
      |umschreib\w*|(?:um)?formulier\w*|überarbeit\w*|lektor\w*|übersetz\w*|zitier\w*|abschreib\w*|kopier\w*
      |nachsprech\w*|sprich|ersetz\w*|anonymisier\w*|formatier\w*|großbuchstaben|kleinbuchstaben|vervollständig\w*
      |ergänz\w*|(?:zusammen)?fass\w*|sortier\w*|kürze\w*|entfern\w*|markier\w*|extrahier\w*
      |répète\w*|répéter|corrige\w*|tradui\w*|reformul\w*|repite|corrig\w*|traduc\w*|reescrib\w*
    )\b"""


def wants_text_back(text: str) -> bool:
    """Whether a text asks for much of itself, or of what follows, again: repeated, corrected, translated."""
    return re.search(_WANTED, text) is not None


def copied(answer: str, asked: str) -> float | None:
    """Return how alike an answer is to what was asked when that is over 0.9 and not asked for; else None."""
    size, other = len(answer), len(asked)
    if size < MIN_LENGTH or not 0.8 * other <= size <= 1.25 * other:
        return None
    middle = size // 2
    if answer[:_SAMPLE] not in asked and answer[middle : middle + _SAMPLE] not in asked:
        return None  # of nine words in ten, one of two samples would be there
    words, others = _WORD.findall(answer[:_LONGEST].lower()), _WORD.findall(asked[:_LONGEST].lower())
    if len(words) < MIN_WORDS and answer.isascii():
        return None
    if not words or (Counter(words) & Counter(others)).total() < MIN_RATIO * max(len(words), len(others)) * 0.95:
        return None
    if "```" in asked or wants_text_back(asked):
        return None
    ratio = SequenceMatcher(None, words, others, autojunk=False).ratio()
    return ratio if ratio > MIN_RATIO else None
