# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The TXT rules about characters: what `clean.py` mends, and what is lost for good.

They look at what people wrote and a model is to learn. What tools said, arguments of calls, code fences and code
spans are left alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tunegate.core.chat import is_blank
from tunegate.core.findings import Severity
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.clean import mended, white_space_faults
from tunegate.dataqa.code_spans import prose
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.row_texts import texts_of
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.text_looks import (
    may_be_decomposed,
    may_hold_control,
    may_hold_inner_space,
    may_hold_invisible,
    may_hold_mojibake,
    may_hold_replacement,
)
from tunegate.dataqa.wording import place, quoted


def text_at(row: Row, hit: Hit) -> str:
    """Return the text that a hit names."""
    value: Any = row.value
    for step in hit.at:
        value = value[step]
    text: str = value
    return text


def chat(answer: str) -> str:
    """Return an example: a row whose answer is `answer`, written as inside a JSON string."""
    turns = '{"role": "user", "content": "Where is my parcel?"}, {"role": "assistant", "content": "'
    return '{"messages": [' + turns + answer + '"}]}'


def _repair(rule_id: str) -> Callable[[Row, Hit], Any]:
    def repair(row: Row, hit: Hit) -> Any:
        text = mended(text_at(row, hit), rule_id)
        return KEEP if is_blank(text) else text

    return repair


def _hits(
    row: Row, rule_id: str, says: Callable[[str, str], str], is_sound: Callable[[str], bool] = lambda _text: False
) -> Iterator[Hit]:
    """Give a hit for each text that mending would change; `says` makes words of the text before and after.

    `is_sound` may say of most texts, faster than mending, that nothing is wrong.
    """
    for at, _role, text in texts_of(row):
        found = text if is_sound(text) else mended(text, rule_id)
        if found != text and not is_blank(text):  # of a blank text CHAT010 speaks
            yield Hit(f"{place(at)} {says(text, found)}", at)


def _where_they_part(before: str, after: str) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other),
        min(len(before), len(after)),
    )


_REST_OF_WORD = lazy_pattern(r"\S*")


def _word(text: str, at: int) -> str:
    """Return the word around a place of a text."""
    rest = _REST_OF_WORD.match(text, at)
    start = max(text.rfind(space, 0, at) for space in " \n\t") + 1
    return text[start : rest.end()] if rest else ""


def named(sign: str) -> str:
    """Return the code point of a character and its name."""
    name = unicodedata.name(sign, "")
    return f"U+{ord(sign):04X}{' ' if name else ''}{name}"


def _taken_out(before: str, after: str) -> str:
    """Name the first character that mending takes out, and how many more there are."""
    gone = Counter(before) - Counter(after)
    more = gone.total() - 1
    return named(before[_where_they_part(before, after)]) + (f" (and {more:,} more)" if more > 0 else "")


@rule(
    "TXT001",
    Severity.WARNING,
    may_hit=may_hold_mojibake,
    fix="safe",
    repair=_repair("TXT001"),
    bad=chat("Viele GrÃ¼ÃŸe"),
    good=chat("Viele Grüße"),
    says="messages[1].content holds 'GrÃ¼ÃŸe', which was 'Grüße' before it was decoded wrongly: write it so",
)
def mojibake(row: Row) -> Iterator[Hit]:
    """A text was decoded with the wrong encoding.

    UTF-8 was read as Windows-1252 or Latin-1. ftfy finds it and undoes it; only what can be undone for certain is
    reported, and a text that speaks of encodings may show such characters.
    """

    def says(before: str, after: str) -> str:
        at = _where_they_part(before, after)
        return (
            f"holds {quoted(_word(before, at))}, which was {quoted(_word(after, at))} before it was decoded "
            "wrongly: write it so"
        )

    yield from _hits(row, "TXT001", says)


@rule(
    "TXT002",
    Severity.ERROR,
    may_hit=may_hold_control,
    fix="safe",
    repair=_repair("TXT002"),
    bad=chat("It is on\\u0000 its way."),
    good=chat("It is on its way."),
    says="messages[1].content holds the control character U+0000: take it out",
)
def control_character(row: Row) -> Iterator[Hit]:
    """A text holds a control character.

    Such characters come from terminals, PDF files and broken exports, and a model learns to write them. Tab and
    line feed are none of them, and carriage returns are line ends (TXT007). A colour code of a terminal goes as
    a whole, a form feed becomes a line feed.
    """
    yield from _hits(
        row,
        "TXT002",
        lambda before, after: f"holds the control character {_taken_out(before, after)}: take it out",
    )


@rule(
    "TXT003",
    Severity.ERROR,
    may_hit=may_hold_invisible,
    fix="unsafe",
    repair=_repair("TXT003"),
    bad=chat("Open the pay\\u202eload."),
    good=chat("Open the payload."),
    says="messages[1].content holds U+202E RIGHT-TO-LEFT OVERRIDE, which cannot be seen: take it out",
)
def invisible_character(row: Row) -> Iterator[Hit]:
    """A text holds characters that cannot be seen: zero-width, bidirectional or tag characters.

    They can hide text from people, turn it round, and make two words of one. Looked for are zero-width characters
    and a byte-order mark, overrides of the writing direction, tag characters, and runs of variation selectors.
    They stay where they have work to do: joiners in emoji, in Persian, Arabic and the scripts of India, zero-width
    spaces in Thai and Khmer, direction marks in a text with Hebrew or Arabic letters, and the tags of flags such
    as that of Scotland. Soft hyphens are a matter of layout: TXT007 takes them out.
    """
    yield from _hits(
        row,
        "TXT003",
        lambda before, after: f"holds {_taken_out(before, after)}, which cannot be seen: take it out",
    )


@rule(
    "TXT004",
    Severity.INFO,
    may_hit=may_be_decomposed,
    fix="safe",
    repair=_repair("TXT004"),
    bad=chat("The cafe\\u0301 is open."),
    good=chat("The caf\\u00e9 is open."),
    says="messages[1].content holds U+0301 COMBINING ACUTE ACCENT in place of the composed U+00E9 LATIN SMALL "
    "LETTER E WITH ACUTE: write it composed (NFC)",
)
def not_composed(row: Row) -> Iterator[Hit]:
    """A text is not in Unicode's composed form (NFC).

    A letter with its accent as a second character looks the same and is another word for a tokenizer. It comes
    from file names of macOS and from PDF files. Ideographs that NFC would replace by another form are left alone:
    names are written with them.
    """

    def says(before: str, after: str) -> str:
        at = _where_they_part(before, after)
        wrong = before[at + 1 : at + 2] if unicodedata.combining(before[at + 1 : at + 2] or " ") else before[at]
        return f"holds {named(wrong)} in place of the composed {named(after[at])}: write it composed (NFC)"

    yield from _hits(row, "TXT004", says, lambda text: unicodedata.is_normalized("NFC", text))


# Who speaks of the sign may write it.
_ABOUT_REPLACEMENT = lazy_pattern(
    r"U\+FFFD|replacement char|ersetzungszeichen|ersatzzeichen|utf-?8|unicode|encod|kodier|zeichensatz",
    re.IGNORECASE,
)


@rule(
    "TXT005",
    Severity.WARNING,
    may_hit=may_hold_replacement,
    bad=chat("The caf\\ufffd is open."),
    good=chat("The caf\\u00e9 is open."),
    says="messages[1].content holds U+FFFD in 'caf\ufffd': a character was lost, write it anew, or drop the row",
)
def lost_character(row: Row) -> Iterator[Hit]:
    """A text holds U+FFFD, which stands for a character that was lost.

    Bytes could not be decoded, and what they meant cannot be told any more. A text that speaks of the sign, or of
    encodings, may hold it, and so may code.
    """
    for at, _role, text in texts_of(row):
        written = prose(text) if "\ufffd" in text else ""
        count = written.count("\ufffd")
        if count and not _ABOUT_REPLACEMENT.search(text):
            more = f" (and {count - 1:,} more)" if count > 1 else ""
            word = quoted(_word(written, written.index("\ufffd")))
            yield Hit(
                f"{place(at)} holds U+FFFD in {word}{more}: a character was lost, write it anew, or drop the row",
                at,
            )


@rule(
    "TXT007",
    Severity.INFO,
    fix="safe",
    repair=_repair("TXT007"),
    bad=chat("Paris.  \\n\\n\\n\\n"),
    good=chat("Paris."),
    says="messages[1].content has white space around it: tidy it",
)
def stray_white_space(row: Row) -> Iterator[Hit]:
    """A text has white space that nobody would miss.

    White space around the text and at the ends of lines, but for the two spaces that break a line in Markdown;
    line ends of several kinds; more than three blank lines; hard spaces between two words, but not beside digits
    and marks, where typography wants them; soft hyphens. None of it is seen, and all of it is learned: a soft
    hyphen that a web page needs for its layout takes a word apart for a tokenizer. A prompt may end in a line
    feed, and hold line ends of Windows. Line ends that are CR LF throughout are sound; `prepare` writes LF.
    """
    if row.messages and _has_plain_edges(row) and not may_hold_inner_space(row.raw):
        return
    for at, role, text in texts_of(row):
        judged = text if role == "assistant" else text.replace("\r\n", "\n").removesuffix("\n")
        if not is_blank(text) and (faults := white_space_faults(judged)):
            yield Hit(f"{place(at)} has {' and '.join(faults)}: tidy it", at)


def _has_plain_edges(row: Row) -> bool:
    """Whether no message begins or ends with white space, as in nearly every row."""
    for _, message in row.messages:
        content = message.get("content")
        if type(content) is str:
            if content.strip() is not content:
                return False
        elif content is not None:
            return False
    return True


RULES: tuple[Rule, ...] = (
    mojibake,
    control_character,
    invisible_character,
    not_composed,
    lost_character,
    stray_white_space,
)
