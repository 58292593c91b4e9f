# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The TXT rules about what stands in prose and does not belong there, and about broken code fences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import fences, prose
from tunegate.dataqa.escaped import escapes, is_about_escapes, unescaped
from tunegate.dataqa.fenced_json import reason
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.homoglyphs import mixed_words
from tunegate.dataqa.markup import is_about_markup, plain, remains
from tunegate.dataqa.row import Row
from tunegate.dataqa.row_texts import texts_of
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.rules_text import chat, named, text_at
from tunegate.dataqa.text_looks import may_be_escaped_twice, may_hold_fence, may_hold_markup, may_mix_scripts
from tunegate.dataqa.wording import place, quoted


def _more(count: int) -> str:
    return f" (and {count - 1:,} more)" if count > 1 else ""


def _without_markup(row: Row, hit: Hit) -> Any:
    made = plain(text_at(row, hit))
    return KEEP if made is None else made


@rule(
    "TXT006",
    Severity.WARNING,
    may_hit=may_hold_markup,
    fix="unsafe",
    repair=_without_markup,
    bad=chat("It is on&nbsp;its way.<br>It arrives today."),
    good=chat("It is on its way. It arrives today."),
    says="messages[1].content holds '&nbsp;' (and 1 more) in its prose: write the text that the HTML stands for",
)
def markup_in_prose(row: Row) -> Iterator[Hit]:
    """A text holds entities or tags of HTML outside code.

    They are left over from web pages, and a model learns to write them. Only tags of HTML count, not those in
    which prompts set documents or answers; and none in code, in tables of Markdown, in a text that is HTML, XML or
    JSON as a whole, or in a chat that speaks of markup. Links, pictures and tables are not taken off by a fix:
    what they say would go with them.
    """
    texts = texts_of(row)
    found = [(at, names) for at, role, text in texts if role in _SPEAKERS and (names := remains(text))]
    if not found or is_about_markup((role, text) for _, role, text in texts):
        return
    for at, names in found:
        yield Hit(
            f"{place(at)} holds {quoted(names[0])}{_more(len(names))} in its prose: write the text that the HTML "
            "stands for",
            at,
        )


_SPEAKERS = ("user", "assistant")


@rule(
    "TXT009",
    Severity.WARNING,
    may_hit=may_mix_scripts,
    bad=chat("Log in at p\\u0430ypal."),
    good=chat("Log in at paypal."),
    says="messages[1].content holds 'p\u0430ypal' with U+0430 CYRILLIC SMALL LETTER A: write it in one script",
)
def homoglyph(row: Row) -> Iterator[Hit]:
    """A word holds letters of another script that look like its own.

    A Cyrillic or Greek letter in place of a Latin one, or the reverse: it looks the same, is another word for a
    tokenizer, and is how false names are made. Signs of physics and biology in Greek letters are none, and neither
    are words such as the Russian forms of "PDF". A text that speaks of such letters may show them.
    """
    for at, _role, text in texts_of(row):
        found = [] if text.isascii() else list(mixed_words(prose(text)))
        if found:
            word, stranger = found[0]
            yield Hit(
                f"{place(at)} holds {quoted(word)}{_more(len(found))} with {named(stranger)}: "
                "write it in one script",
                at,
            )


def _resolved(row: Row, hit: Hit) -> Any:
    made = unescaped(text_at(row, hit))
    return KEEP if made is None else made


@rule(
    "TXT010",
    Severity.WARNING,
    may_hit=may_be_escaped_twice,
    fix="unsafe",
    repair=_resolved,
    bad=chat("It is on its way.\\\\nIt arrives today."),
    good=chat("It is on its way.\\nIt arrives today."),
    says="messages[1].content holds '\\\\n' written out in its prose: it was escaped twice, write what it means",
)
def escaped_twice(row: Row) -> Iterator[Hit]:
    r"""A text was escaped twice: `\n` stands in it as a backslash and a letter.

    A line feed or a character was written as an escape of JSON, and the backslash escaped again. The model learns
    to write backslashes. Code, LaTeX, regular expressions and paths hold backslashes by right, and so does a text
    that speaks of them, or has line feeds of its own beside them.
    """
    texts = texts_of(row)
    found = [(at, escaped) for at, _role, text in texts if (escaped := escapes(text))]
    if not found or any(is_about_escapes(text) for _, _, text in texts):
        return
    for at, escaped in found:
        yield Hit(
            f"{place(at)} holds {quoted(escaped[0])}{_more(len(escaped))} written out in its prose: "
            "it was escaped twice, write what it means",
            at,
        )


# Who shows what is wrong with a piece of JSON may write it.
_ABOUT_BROKEN = lazy_pattern(
    r"invalid|broken|malformed|trailing comma|syntax|error|fix|repair|wrong|correct|not valid|ungültig|kaputt"
    r"|fehler|repar|falsch|korrigier|defekt",
    re.IGNORECASE,
)
_JSON = '```json\\n{\\"colour\\": \\"red\\"}\\n```'


@rule(
    "TXT011",
    Severity.WARNING,
    may_hit=may_hold_fence,
    bad=chat("Use this:\\n" + _JSON.removesuffix("\\n```")),
    good=chat("Use this:\\n" + _JSON),
    says="messages[1].content opens a code fence in line 2 and never closes it: write its closing marks on a line "
    "of their own",
)
def broken_fence(row: Row) -> Iterator[Hit]:
    """An answer opens a code fence and never closes it, or the JSON in a fence is broken.

    The model learns not to close what it opens, or to write JSON that no program reads. JSON with comments or with
    parts left out is meant for a reader and let be, and so is a chat about faults of JSON. Only answers are looked
    at: people often paste code behind an open fence.
    """
    texts = texts_of(row)
    for at, role, text in texts:
        found = fences(text) if role == "assistant" else []
        if found and not found[-1].is_closed:
            line = text.count("\n", 0, found[-1].start) + 1
            yield Hit(
                f"{place(at)} opens a code fence in line {line} and never closes it: write its closing marks on a "
                "line of their own",
                at,
            )
        broken = [(fence, why) for fence in found if fence.is_closed and (why := reason(fence))]
        if broken and not any(_ABOUT_BROKEN.search(other) for _, _, other in texts):
            fence, why = broken[0]
            line = text.count("\n", 0, fence.start) + 1
            yield Hit(
                f"{place(at)} holds broken JSON in the code fence of line {line}{_more(len(broken))}: "
                f"{why}; write JSON that can be read",
                at,
            )


RULES: tuple[Rule, ...] = (markup_in_prose, homoglyph, escaped_twice, broken_fence)
