r"""Text that was escaped twice: `\n` and `\u00fc` written out in prose, as backslash and letters."""

from __future__ import annotations

import re

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import pieces

_LINE_FEED = r"(?:\\r)?\\n"
# Control characters, the backslash and the back-tick are left as they are written.
_CHARACTER = r"\\u(?!00[0189]|005[cC]|0060|007[fF])[0-9a-fA-F]{4}"
_ESCAPE = lazy_pattern(rf"{_LINE_FEED}|{_CHARACTER}")
# Between two words, or after the mark that ends a sentence. In quotes or between spaces it is spoken of.
_IN_PROSE = lazy_pattern(
    rf"(?<=[^\W_]){_CHARACTER}|{_CHARACTER}(?=[^\W_])|(?<=[\w.!?:,;)*\u2026])(?:{_LINE_FEED}){{1,4}}(?=[\w*#-])"
)
# What else is written with a backslash: LaTeX, regular expressions, paths, programs and their strings.
_OTHER_USE = lazy_pattern(
    r"\\(?![nu])[a-zA-Z]{2,}|\\[dwsbWDSB(\[{}\].^$*+?|/]|\$[^\d\s]|\b[A-Za-z]:\\|\\\\|\\n\w*\.[a-z]{2,4}\b"
    r"|\\n(?:abla|eq?|u|ot|otin|ewline|ewcommand|ewpage|oindent|mid|leq|geq|ormalsize|earrow|warrow|olimits)\b"
    r"|[{}=<>]|\b\w{2,}\((?!s\)|e?[nrs]?\)|innen\))|[\"']:"
)
# Who speaks of escapes may write them.
_ABOUT = lazy_pattern(
    r"newline|line ?(?:break|feed)|escap|backslash|regex|regular expression|latex|\bstrings?\b|unicode|code ?point"
    r"|json|python|javascript|\bcode\b|\bpaths?\b|folder|director(?:y|ies)|zeilen(?:umbr[uü]ch|vorschub)|rückstrich"
    r"|maskier|regul[aä]re[rn]? ausdr|ordner|verzeichnis|\bpfade?\b",
    re.IGNORECASE,
)
_STRUCTURED = ("{", "[", "<")


def escapes(text: str) -> list[str]:
    r"""Return the escapes that stand in the prose of a text.

    None in a text with line feeds of its own: where some are real, the others are meant as they are written.
    """
    if "\\" not in text or "\n" in text.strip() or text.lstrip().startswith(_STRUCTURED):
        return []
    return [found[0] for piece, is_code in pieces(text) if not is_code for found in _escapes(piece)]


def is_about_escapes(text: str) -> bool:
    """Whether a text speaks of escapes, or of what else is written with a backslash."""
    return _ABOUT.search(text) is not None


def _escapes(piece: str) -> list[re.Match[str]]:
    if not _IN_PROSE.search(piece) or _OTHER_USE.search(piece):
        return []
    return list(_ESCAPE.finditer(piece))


def unescaped(text: str) -> str | None:
    r"""Return a text with the escapes in its prose resolved; None where they stand for no characters."""
    made = "".join(
        piece if is_code or not _escapes(piece) else _ESCAPE.sub(_meant, piece) for piece, is_code in pieces(text)
    )
    try:
        # halves of a pair, each an escape of its own
        return made.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def _meant(found: re.Match[str]) -> str:
    return chr(int(found[0][2:], 16)) if found[0].startswith("\\u") else "\n"
