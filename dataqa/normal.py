"""Normal forms of text: when two texts count as the same, and when a small difference makes another problem."""

from __future__ import annotations

import unicodedata
from functools import cache

from tunegate.core.patterns import lazy_pattern

# Signs that change the meaning of what they stand at: `5%`, `a@b.de`, `#12`, `a/b`, `x*y`, `a_b`, `a\b`.
_MEANINGFUL = frozenset("#%&*/@\\_")

# NFKC would turn `10²` into `102`, which is another number.
_RAISED = {ord(sign): f"^{digit}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_LOWERED = {ord(sign): f"_{digit}" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_SCRIPTS = {**_RAISED, **_LOWERED}
_IS_SCRIPT = lazy_pattern(f"[{''.join(map(chr, _SCRIPTS))}]")

# Marks inside a number stand for themselves, as private characters, while the other marks become spaces.
_DIGIT = lazy_pattern(r"\d")
_IN_NUMBER = lazy_pattern(r"(?<=\d)[.,:](?=\d)|(?<![\w)\]])[-\u2212](?=\d)")
_KEPT = {".": "\ue000", ",": "\ue001", ":": "\ue002", "-": "\ue003", "\u2212": "\ue003"}

# Translating bytes takes a tenth of the time of translating text.
_ASCII_PUNCTUATION = bytes.maketrans(b"!\"'(),-.:;?[]{}", b" " * 15)


def folded(text: str) -> str:
    r"""Return the form in which two texts are equal when they differ in case, white space and punctuation alone.

    NFKC and case folding; marks of punctuation become spaces, but for those that carry meaning: the sign and the
    decimal mark of a number, and `# % & * / @ _ \`. A text with a code fence keeps its case and punctuation, and
    so does one that is nothing but punctuation.
    """
    if "```" in text or "~~~" in text:
        return " ".join(text.split())
    if text.isascii():
        whole = text.lower()
    else:
        whole = unicodedata.normalize(
            "NFKC", text.translate(_SCRIPTS) if _IS_SCRIPT.search(text) else text
        ).casefold()
        whole = unicodedata.normalize("NFKC", whole)  # case folding can undo it
    if _DIGIT.search(whole):
        whole = _IN_NUMBER.sub(lambda mark: _KEPT[mark[0]], whole)
    bare = whole.encode("utf-8", "surrogatepass").translate(_ASCII_PUNCTUATION).decode("utf-8", "surrogatepass")
    if not bare.isascii():
        for sign in set(bare):
            if sign > "\x7f" and _separates(sign):
                bare = bare.replace(sign, " ")
    return " ".join(bare.split()) or " ".join(whole.split())


@cache
def _separates(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "P" and sign not in _MEANINGFUL


_NUMBER = lazy_pattern(r"[-+\u2212]?\d+(?:[.,:/]\d+)*|\^\d")
# Any sign but the commonest marks of punctuation, which mean nothing by themselves.
_NO_WORD = lazy_pattern(r"[^\w\s.,!?'\"()\-:;]")
_WORD = lazy_pattern(r"[^\W\d_]+(?:['\u2019]t\b)?")

_NUMBER_WORDS = frozenset(
    {
        *(
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ),
        *("eleven", "twelve", "hundred", "thousand", "million", "half", "twice", "double"),
        *("null", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
        *("hundert", "tausend", "halb", "doppelt"),
    }
)

# Words that turn a sentence into its opposite.
_NEGATION_WORDS = (
    *("no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "unable"),
    *("nicht", "nie", "niemals", "nichts", "niemand", "niemanden", "niemandem", "nirgends", "nirgendwo"),
    *("kein", "keine", "keinen", "keinem", "keiner", "keines", "keins", "weder", "ohne", "nix"),
)
_VERBS = (
    *(
        "do",
        "does",
        "did",
        "is",
        "was",
        "are",
        "were",
        "has",
        "have",
        "had",
        "wo",
        "would",
        "ca",
        "could",
        "should",
    ),
    *("must", "need", "might", "ai", "sha", "ought"),
)
_CONTRACTIONS = ("cannot", *(verb + ending for verb in _VERBS for ending in ("n't", "n\u2019t", "nt")))
_NEGATIONS = {word: word for word in _NEGATION_WORDS} | dict.fromkeys(_CONTRACTIONS, "not")


def problem(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what makes a text another problem though its words are the same: numbers and signs, and negations.

    Both are sorted. Numbers stand in digits, or are simple number words of English and German; German "ein" is
    left out, as it is an article far more often than a number. Signs are operators, currencies, pictures and the
    like: `3 > 2` and `3 < 2` have the same words. Negations are words of English and German; a
    contraction is a "not".
    """
    if text.isascii():
        low = text.lower()
    else:
        low = unicodedata.normalize(
            "NFKC", text.translate(_SCRIPTS) if _IS_SCRIPT.search(text) else text
        ).casefold()
    words = _WORD.findall(low)
    found = _NUMBER.findall(low) if _DIGIT.search(low) else []
    found += [word for word in words if word in _NUMBER_WORDS]
    found += [sign for sign in _NO_WORD.findall(low) if _means(sign)]
    return tuple(sorted(found)), tuple(sorted(_NEGATIONS[word] for word in words if word in _NEGATIONS))


def numbers(text: str) -> tuple[str, ...]:
    """Return the numbers and signs of a text, sorted; see `problem`."""
    return problem(text)[0]


def negations(text: str) -> tuple[str, ...]:
    """Return the negations of a text, sorted; see `problem`."""
    return problem(text)[1]


@cache
def _means(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "S" or sign in _MEANINGFUL
