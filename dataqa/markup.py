"""HTML that was left over in prose: entities and tags, where nobody speaks of markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import pieces

# Tags that put text on lines or in shapes can be taken off; what a link or a table says would be lost with it.
_LINES = "br|hr|p|div|h[1-6]|ul|ol|li|center|blockquote|section|article"
_SHAPES = "span|font|strong|em|big|tt|b|i|u|s"
_OTHERS = (
    "table|tbody|thead|tr|td|th|a|img|iframe|script|style|form|input|button|html|head|body|meta|link|nav|footer"
)
# An attribute has a value: `a <b and c> d` holds no tag.
_TAG = lazy_pattern(
    rf"<(?P<closes>/?)(?P<name>(?i:{_LINES}|{_SHAPES}|{_OTHERS}))(?P<attributes>(?:\s+[^\s<>]*=[^<>]*)?)\s*/?>"
)
# One letter in angle brackets may be anything: it counts only with its closing tag.
_LETTERS = frozenset("abipsu")
_ENTITY = lazy_pattern(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_IS_PLAIN = lazy_pattern(f"(?:{_LINES}|{_SHAPES})", re.IGNORECASE)
_IS_BLOCK = lazy_pattern(f"(?:{_LINES})", re.IGNORECASE)

# Who speaks of markup, asks for it, or writes a program that makes it, may write it.
_ABOUT = lazy_pattern(
    r"html|xml|\bsvg\b|\bcss\b|\b[jt]sx\b|\bphp\b|javascript|typescript|\bvue\b|markup|markdown|\btags?\b"
    r"|web ?(?:page|site|dev)|web-?seite|homepage|entit(?:y|ies|ät)|browser|wiki(?:text|media)|template|vorlage"
    r"|source ?code|snippet|quell(?:text|code)|\bcoding\b|program|newsletter|\bxss\b|inject|scrap(?:e|ing)"
    r"|\bpars(?:e|ing)",
    re.IGNORECASE,
)
_QUESTION = lazy_pattern(
    r"\?|^(?:what|when|how|why|which|explain|was|wann|wie|warum|welche|erklär)", re.IGNORECASE
)
# Longer texts with tags in them were pasted rather than written.
_LONGEST_QUESTION = 300
# In a table of Markdown there is no other way to break a line.
_TABLE_ROW = lazy_pattern(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
# A text that begins so is a document in a format of its own.
_STRUCTURED = ("<", "{", "[")


def remains(text: str) -> list[str]:
    """Return the entities and tags in the prose of a text; none where the whole text is a document of its own."""
    if ("&" not in text and "<" not in text) or text.lstrip().startswith(_STRUCTURED):
        return []
    if not (_TAG.search(text) or _ENTITY.search(text)):
        return []
    return [found[0] for piece, is_code in pieces(text) if not is_code for found in _remains(piece)]


def _remains(piece: str) -> list[re.Match[str]]:
    prose = _TABLE_ROW.sub(lambda row: " " * len(row[0]), piece) if "|" in piece else piece
    from html.entities import html5  # a table of two thousand names

    tags = list(_TAG.finditer(prose)) if "<" in prose else []
    closed = {tag["name"].lower() for tag in tags if tag["closes"]}
    found = [
        tag for tag in tags if (name := tag["name"].lower()) not in _LETTERS or tag["attributes"] or name in closed
    ]
    found += [entity for entity in _ENTITY.finditer(prose) if entity[0][1] == "#" or entity[0][1:] in html5]
    return sorted(found, key=re.Match.start)


def is_about_markup(texts: Iterable[tuple[str, str]]) -> bool:
    """Whether a chat, given as (role, text), speaks of markup: by a word, its instructions, or a question."""
    for role, text in texts:
        if _ABOUT.search(text):
            return True
        if role == "user" and len(text) <= _LONGEST_QUESTION and _QUESTION.search(text) and _TAG.search(text):
            return True
        if role in ("system", "developer") and _TAG.search(text):
            return True
    return False


def plain(text: str) -> str | None:
    """Return a text with entities resolved and tags taken off; None where that would lose something."""
    made = "".join(piece if is_code else _plain(piece) for piece, is_code in pieces(text))
    tags = (tag for piece, is_code in pieces(text) if not is_code for tag in _remains(piece) if tag[0][0] == "<")
    loses = any(not _IS_PLAIN.fullmatch(tag["name"]) for tag in tags)
    return None if loses or not made.strip() or remains(made) else made


def _plain(piece: str) -> str:
    made: list[str] = []
    position = 0
    for found in _remains(piece):
        made.append(piece[position : found.start()])
        made.append(_character(found[0]) if found[0][0] == "&" else _instead_of_tag(found, "".join(made[-2:])))
        position = found.end()
    text = "".join(made)
    if position == len(piece):
        text = text.removesuffix("\n")  # of the tag that closes the last line
    return text + piece[position:]


def _character(entity: str) -> str:
    import html

    return html.unescape(entity).replace("\u00a0", " ")


def _instead_of_tag(found: re.Match[str], before: str) -> str:
    """Return what stands in the place of a tag: a line end before and after a block, and the mark of an item."""
    name = found["name"].lower()
    if not _IS_BLOCK.fullmatch(name):
        return ""
    follows = found.string[found.end() : found.end() + 1]
    needs_none = follows == "\n" or (name != "br" and (not before or before.endswith("\n")))
    return ("" if needs_none else "\n") + ("- " if name == "li" and not found["closes"] else "")
