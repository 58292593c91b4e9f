"""Answers that are no language: keys struck at random, signs in a heap.

Words are judged by what can be spoken. Letters of real Latin-script text are to three tenths and more vowels;
random ones to a fifth. Only where a text falls below that are its words looked at one by one. What is no prose but
means something is left alone: code, tables, formulas, identifiers, hashes, abbreviations in capitals.
"""

from __future__ import annotations

import re
import string

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.language import small_words

MIN_LETTERS = 8

# Vowels among the letters: English 0.38, German 0.36, Czech 0.33 with its accents; 26 letters at random 0.23.
MIN_VOWELS = 0.27

# So many characters are looked at first, and where they are strange.
_LOOKED_AT = 100
_LONGEST = 1000

# So many of the words cannot be spoken.
MIN_UNSPOKEN = 0.6

# Signs of no word: so many, and of so many kinds, that they are no line and no face.
_MIN_SIGNS = 12
_MIN_KINDS = 6

_NOT_LETTERS = bytes(set(range(256)) - set(string.ascii_letters.encode()))
_NOT_VOWELS = bytes(
    set(range(256)) - set(b"aeiouyAEIOUY\xc3")
)  # C3: the first byte of most letters with an accent

_STRUCTURED = lazy_pattern(r"```|\n\s*\||^\s*[\[{<]|\t|https?:|[=;{}<>\\^$]")
_CODE = lazy_pattern(r"\\|\(\?|\^.*\$|[+<>\[\].,-]{12,}")  # expressions and tiny languages
_WORD = lazy_pattern(r"\S+")
_NAMED = lazy_pattern(r"[A-Z0-9]+|\W+|.*(?:[-_/.:]\w.*){2}|[0-9a-fA-F]{8,}|\d.*")
_VOWELS = "aeiouyäöüáéíóúàèìòùâêîôûåæøœëïąęěůőűı"  # noqa: RUF001
_UNSPOKEN = lazy_pattern(rf"[^\W\d_{_VOWELS}]{{4,}}|[a-z]\d+[a-z]|\w[!?#$%&]{{2,}}\w", re.IGNORECASE)
_SHORTEST = 5  # shorter words without a vowel are abbreviations: html, xlsx, kbps

# Clusters that can be spoken, each of which counts as one sound.
_SPOKEN = lazy_pattern(
    "schl|schr|schw|schm|schn|tsch|sch|ngst|chts|chst|szcz|ckt|tzt|rst|ght|str|spr|prz|krz|strz|th|ph|ch|ck|tz|ng|"
    "rr|ll|ss|nn|mm|tt|ff|pp",
    re.IGNORECASE,
)

# Who asks for one of these gets what cannot be read.
_WANTED = r"""(?ix)
    cipher|cypher|encrypt|encod|decod|rot-?13|caesar|base64|hash|password|passphrase|random|gibberish|anagram|scrambl
    |regex|regular\ expression|pattern|ascii|emoji|shorthand|abbreviat|acronym|token|uuid|keyboard|onomatop|welsh
    |verschlüssel|chiffr|codier|kodier|passwort|kennwort|zufällig|abkürz|tastatur"""


def is_gibberish(text: str, asked: str = "") -> bool:
    """Whether an answer is no language, and none was asked for that looks so."""
    raw = text[:_LOOKED_AT].encode("utf-8", "surrogatepass")
    vowels = len(raw.translate(None, _NOT_VOWELS))
    if vowels >= MIN_VOWELS * len(raw):
        return False
    letters = len(raw.translate(None, _NOT_LETTERS))
    if letters < MIN_LETTERS:
        is_heap = raw.isascii() and letters * 5 < len(raw) and _is_heap_of_signs(text)
        return is_heap and not re.search(_WANTED, asked)
    if vowels >= MIN_VOWELS * letters or letters * 2 < len(raw):
        return False
    return _cannot_be_spoken(text[:_LONGEST]) and not re.search(_WANTED, asked)


def _cannot_be_spoken(text: str) -> bool:
    if _STRUCTURED.search(text) or small_words(text):
        return False
    words = [word for word in _WORD.findall(text) if not _NAMED.fullmatch(word.strip(".,;:()"))]
    words = [word for word in words if len(word) >= _SHORTEST]
    if len(words) < 2:
        return False
    unspoken = sum(_UNSPOKEN.search(_SPOKEN.sub("t", word)) is not None for word in words)
    return unspoken >= max(MIN_UNSPOKEN * len(words), 2)


def _is_heap_of_signs(text: str) -> bool:
    signs = [sign for sign in text if not sign.isspace()]
    plain = [sign for sign in signs if sign.isascii() and not sign.isalnum()]
    is_code = "\n" in text.strip() or _CODE.search(text) is not None
    is_heap = len(plain) >= max(_MIN_SIGNS, 0.8 * len(signs)) and len(set(plain)) >= _MIN_KINDS
    return is_heap and not is_code
