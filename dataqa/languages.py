"""The languages of a chat: whether an answer is in another one than the question, though nobody asked for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.language import (
    LANGUAGE_OF,
    MIN_LETTERS,
    SMALL,
    WORDS_OF,
    by_small_words,
    language_of,
    script_of,
    small_words,
)
from tunegate.dataqa.replies import Reply, replies
from tunegate.dataqa.row import Row

NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

# Languages so close that a model mistakes one for another.
_CLOSE = (
    {"no", "nb", "nn", "da", "sv"}, {"hr", "sr", "bs", "sl"}, {"id", "ms", "jv"}, {"cs", "sk"},
    {"es", "gl", "pt", "ca"}, {"ru", "uk", "be", "bg", "mk"}, {"de", "lb", "nds", "nl", "af"}, {"hi", "mr", "ne"},
    {"zh", "ja", "wuu", "yue"}, {"ar", "fa", "ur"},
)  # fmt: skip

# Who names a language, or a translation, before the answer may have asked for it.
_NAMED = r"""(?ix)
    \b(?:english|german|french|spanish|italian|portuguese|dutch|polish|russian|ukrainian|turkish|arabic|hebrew
    |hindi|chinese
    |mandarin|cantonese|japanese|korean|greek|latin|swedish|danish|norwegian|finnish|czech|hungarian|romanian|vietnamese|thai
    |indonesian|bilingual|multilingual|translat\w*|languages?|lyrics
    |(?:englisch|deutsch|französisch|spanisch|italienisch|portugiesisch|niederländisch|polnisch|russisch|ukrainisch|türkisch
    |arabisch|hebräisch|chinesisch|japanisch|koreanisch|griechisch|lateinisch|schwedisch|dänisch|norwegisch|finnisch
    |tschechisch|ungarisch|rumänisch)\w*|latein|übersetz\w*|sprachen?|fremdsprach\w*|zweisprachig\w*
    |anglais\w*|allemand\w*|français\w*|espagnol\w*|italien|tradui\w*|traduction|langues?|inglés|alemán|francés|español
    |italiano|inglese|tedesco|francese|traduc\w*|tradur\w*|idiomas?|lingua|inglês|alemão|engels|duits|vertaal\w*)\b
    |英語|日本語|中文|英文|英语|翻译|翻訳|영어|번역|англий|немец|перевед|перевод"""

_MATERIAL = lazy_pattern(r":\s|\n|```|[\"“„«]")

# Shorter texts are thanks and labels, of which no language can be told; ten letters of Chinese are a sentence.
_SHORT_LATIN = 24
_SHORT = 10


def name_of(code: str) -> str:
    """Return the English name of a language, or its code."""
    return NAMES.get(code, code)


def are_close(one: str, other: str) -> bool:
    """Whether two languages are the same, or easily taken for each other."""
    return one == other or any(one in family and other in family for family in _CLOSE)


def answered_otherwise(row: Row) -> Iterator[tuple[Reply, str, str]]:
    """Give the answers in another language than the question before them, with both languages."""
    for reply in replies(row):
        if not _are_alike(reply) and _is_doubtful(reply.asked, reply.text) and not _is_named(row, reply):
            asked, answered = language_of(_own_words(reply.asked)), language_of(reply.text)
            if asked and answered and not are_close(asked, answered):
                yield reply, asked, answered


def _are_alike(reply: Reply) -> bool:
    """Whether the first words of question and answer show the same one language, or none, or are too few."""
    asked, answered = SMALL.intersection(reply.first_asked), SMALL.intersection(reply.first_words)
    if asked and answered:
        return WORDS_OF[LANGUAGE_OF[next(iter(asked))]].issuperset(asked | answered)
    is_ascii = reply.asked.isascii() and reply.text.isascii()
    shortest = _SHORT_LATIN if is_ascii else _SHORT
    if len(reply.text) < shortest or len(reply.asked) < shortest:
        return True
    if asked or answered:
        return False
    return is_ascii or script_of(reply.asked) == script_of(reply.text)


def _is_doubtful(asked: str, answered: str) -> bool:
    """Whether a closer look leaves room for two languages."""
    words, others = small_words(asked), small_words(answered)
    languages, other_languages = {LANGUAGE_OF[word] for word in words}, {LANGUAGE_OF[word] for word in others}
    if languages == other_languages and len(languages) == 1:
        return False
    if script_of(asked) != script_of(answered):
        return True
    one, other = by_small_words(words), by_small_words(others)
    if one and other:
        return one != other
    if one:
        return len(answered) >= MIN_LETTERS and one not in other_languages
    return other is not None and len(asked) >= MIN_LETTERS and other not in languages


def _own_words(asked: str) -> str:
    """Return what a user says before a colon or a new line: what follows may be material in any language."""
    return _MATERIAL.split(asked.strip(), maxsplit=1)[0]


def _is_named(row: Row, reply: Reply) -> bool:
    """Whether a language or a translation is named before an answer."""
    texts = (text for path, _, text in row.texts("system", "developer", "user") if int(path[1]) < reply.message)
    return any(re.search(_NAMED, text) for text in texts)
