"""Which language a text is in: by its script, by its small words, and by a model only where these leave doubt.

Most texts are told by a look that takes microseconds: scripts of one language, or the small words (articles,
conjunctions, pronouns) that make up a third of any text. The model (py3langid: naive Bayes over byte n-grams, 97
languages, offline) takes most of a second to load, so it is asked only where a caller has a reason to doubt. The
answer is None where a text is too short, mixed, or no prose: no answer is better than a wrong one.
"""

from __future__ import annotations

import re
import string
from collections.abc import Set
from functools import cache
from typing import Any

from tunegate.core.patterns import lazy_pattern

SMALL_WORDS = {
    "en": """
        the and are were that this you your with have has from they what which who how would should could
        there their been my our its can please does about when where why because these those
    """,
    "de": """
        der das und ist nicht ich sie ein eine einen einem einer mit auf für dem zu wie wir sich auch
        wird werden aber bei oder wenn sind ihr ihre mein meine dein kann können haben wurde nach vom zum
        zur noch nur im über durch welche bitte ihnen dass sein warum diese dieser
    """,
    "fr": """
        les est et une dans pour sur avec pas vous nous elle sont aux au cette votre être ont où leur ses
        peut quel quelle c'est qu'il
    """,
    "es": """
        el los las y con pero su sus más qué cómo muy también cuando tiene puede usted yo
    """,
    "it": """
        il gli che di della è sono nel nella più anche questo questa hai perché cosa degli delle dei
        essere può
    """,
    "pt": """
        os uma não dos em com você são seu sua isso ao pelo pela foi eu meu minha
    """,
    "nl": """
        het een ik niet dat voor zijn aan ook maar hebben heeft naar wordt worden hoe wat kunt uw deze
        dit
    """,
    "pl": """
        nie się jest że jak czy dla przez są oraz być tego który która jestem proszę
    """,
    "sv": """
        och att det är på för inte jag av har ett som med
    """,
    "tr": """
        ve bir bu için ile çok değil daha olarak gibi nasıl
    """,  # noqa: RUF001
}
"""Words that are frequent in one of these languages and rare in the others, also as a word of another meaning."""

_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in SMALL_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_language)
LANGUAGE_OF = {word: languages[0] for word, languages in _LANGUAGES_OF.items() if len(languages) == 1}
"""The language of each small word that belongs to one of them only."""

SMALL = frozenset(LANGUAGE_OF)
WORDS_OF = {language: frozenset(words.split()) & SMALL for language, words in SMALL_WORDS.items()}

# The first bytes of the characters of a script in UTF-8: counted, they say which letters a text is written in.
_LEADS = {
    "ru": b"\xd0\xd1",  # Cyrillic
    "el": b"\xce\xcf",
    "he": b"\xd7",
    "ar": b"\xd8\xd9\xda\xdb",
    "hi": b"\xe0",  # the scripts of India, Thai, Lao
    "zh": b"\xe3\xe4\xe5\xe6\xe7\xe8\xe9",  # Han and kana
    "ko": b"\xea\xeb\xec\xed",
}
_OTHERS = {name: bytes(set(range(256)) - set(leads)) for name, leads in _LEADS.items()}
_SCRIPT_OF = {lead: name for name, leads in _LEADS.items() for lead in leads}
_LETTERS = bytes(set(range(256)) - set(string.ascii_letters.encode() + b"\xc3\xc4\xc5"))
_NO_LEADS = bytes(set(range(256)) - set(b"".join(_LEADS.values())))

# As much of a text as a look takes: forty words or so, of which a third are small ones.
SAMPLE = 240
LONG_SAMPLE = 1200

# So many different small words of one language, and hardly one of another, are as sure as the model.
MIN_WORDS = 3

# Below so many letters the model guesses; measured in tests/dataqa/test_language.py.
MIN_LETTERS = 40
MIN_PROBABILITY = 0.9

_NO_PROSE = lazy_pattern(
    r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|\S{1,64}@\S{1,255}|<[^<>\n]*>|\{[^{}]*\}", re.DOTALL
)


def small_words(text: str, sample: int = SAMPLE) -> Set[str]:
    """Return the small words of the beginning of a text."""
    return SMALL.intersection(text[:sample].lower().split())


def script_of(text: str) -> str:
    """Return the script of most letters of the beginning of a text, by a language of it; "la" is Latin."""
    raw = text[:SAMPLE].encode("utf-8", "surrogatepass")
    leads = raw.translate(None, _NO_LEADS)
    if not leads:
        return "la"
    script = _SCRIPT_OF[leads[len(leads) // 2]]
    letters = len(leads.translate(None, _OTHERS[script]))
    if script in ("zh", "ko"):
        letters *= 2  # one says about as much as two of an alphabet
    return script if letters > len(raw.translate(None, _LETTERS)) else "la"


def prose_of(text: str) -> str:
    """Return a text without code, addresses, tags and placeholders, which are in no language."""
    return _NO_PROSE.sub(" ", text)


def by_small_words(found: Set[str], least: int = 2) -> str | None:
    """Return the language that small words speak for: so many or more, and three times those of all others."""
    if len(found) < least:
        return None
    counts: dict[str, int] = {}
    for word in found:
        language = LANGUAGE_OF[word]
        counts[language] = counts.get(language, 0) + 1
    most = max(sorted(counts), key=lambda language: counts[language])
    return most if counts[most] >= least and counts[most] >= 3 * (len(found) - counts[most]) else None


def language_of(text: str) -> str | None:
    """Return the language of a text by its code, such as `de`; None where that is not sure."""
    prose = prose_of(text[: 4 * LONG_SAMPLE])
    script = script_of(prose)
    words = small_words(prose, LONG_SAMPLE)
    if script == "la" and (known := by_small_words(words, MIN_WORDS)):
        return known
    if sum(map(str.isalpha, prose)) < (MIN_LETTERS if script == "la" else MIN_LETTERS // 4):
        return None
    language, probability = _model().classify(prose[:LONG_SAMPLE])
    hints = {LANGUAGE_OF[word] for word in words} if script == "la" else set()
    is_sure = probability >= MIN_PROBABILITY and hints <= {language}
    return str(language) if is_sure else None


@cache
def _model() -> Any:
    from importlib import import_module

    langid = import_module("py3langid.langid")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
