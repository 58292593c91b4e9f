r"""What is wrong with the characters of a text, and how it is mended: for the rules and for `prepare` alike.

Mojibake, control characters, invisible characters, letters not composed, stray white space. A fault is what its
step changes. Code fences and code spans are left as they are. Mending twice gives the same as mending once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import pieces

Step = Callable[[str], str]

# A character in UTF-8 as its bytes look in Windows-1252 or Latin-1: a letter for the first, signs for the others.
# The no-break space that byte A0 becomes was often made a plain one, as in the French "\u00c3 ".
_WINDOWS = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
_NEXT = f"[\u0080-\u00bf{_WINDOWS}]"
_MOJIBAKE = lazy_pattern(f"[\u00c2-\u00db]{_NEXT}|\u00c3 |[\u00e0-\u00ef]{_NEXT}{{2}}|[\u00f0-\u00f4]{_NEXT}{{3}}")
# Syriac, Thaana, N'Ko: German words that end in "ß" before a mark would become these.
_UNLIKELY = lazy_pattern("[\u0700-\u07ff]")
# A control character of this block is nearly always a sign of Windows-1252 that was read as Latin-1.
_C1_OF_WINDOWS = lazy_pattern("[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]")
_C1 = lazy_pattern("[\x80-\x9f]")
# Who asks why there is "GrÃ¼ÃŸe" on a page should still be able to.
_ABOUT_ENCODING = lazy_pattern(
    r"utf-?8|latin-?1|iso[- ]?8859|cp-?1252|windows-1252|unicode|mojibake|encod(?:ed|ing)|charset|character set"
    r"|zeichensatz|kodier|codierung|umlaute",
    re.IGNORECASE,
)

# A terminal's escape sequence goes as a whole: what follows the escape means nothing by itself (ECMA-48, 5.4).
_CONTROL = lazy_pattern(
    "\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\\\)"
    "|(?P<line_end>[\x0b\x0c\x1c-\x1e])|[\x00-\x08\x0e-\x1f\x7f\x81\x8d\x8f\x90\x9d]"
)

# Scripts in which invisible characters have work to do: right-to-left ones, those of India and beyond, those
# without spaces between words.
_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_INDIC = "\u0900-\u0dff\u0f00-\u0fff"
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_MONGOLIAN = "\u1800-\u18af"
_PICTURE = "\u2190-\u2bff\U0001f000-\U0001faff"
_SELECTOR = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINING = f"[{_INDIC}{_RIGHT_TO_LEFT}{_UNSPACED}]"

_IS_RIGHT_TO_LEFT = lazy_pattern(f"[{_RIGHT_TO_LEFT}]")
_BIDI_MARK = lazy_pattern("[\u061c\u200e\u200f\u2066-\u2069\u202a-\u202c]")
_INVISIBLE = lazy_pattern(
    f"[\u202d\u202e\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]|\u180e(?<![{_MONGOLIAN}].)(?![{_MONGOLIAN}])"
)
# A picture has one selector at most: a run of them hides bytes.
_SELECTORS = lazy_pattern(f"(?<=[{_SELECTOR}])[{_SELECTOR}]+")
# Joiners stay beside letters of scripts that shape by them, and between two pictures of an emoji.
_JOINER = lazy_pattern(
    f"(?P<kept>(?<={_JOINING})[\u200c\u200d]|[\u200c\u200d](?={_JOINING})"
    f"|(?<=[\u203c\u2049\u3030\u303d\ufe0f{_PICTURE}])\u200d(?=[{_PICTURE}])"
    f"|(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}]))|[\u200b-\u200d]"
)
# Tag characters belong to flags such as that of Scotland: a black flag, letters, and the end mark.
_TAG = lazy_pattern("(?P<kept>\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)|[\U000e0000-\U000e007f]")

# NFC would replace the forms in which some Japanese and Korean names are written, and makes a back-tick of one
# Greek accent.
_COMPOSABLE = lazy_pattern("[^\uf900-\ufaff\U0002f800-\U0002fa1f\u1fef]+")

_SPACES = " \t\n\r\x0b\x0c\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_OTHER_LINE_END = lazy_pattern("(?<!\r)\n|\r(?!\n)|[\u2028\u2029]")
_LINE_END = lazy_pattern("\r+\n|[\r\u2028\u2029]")
# Typography puts hard spaces beside digits and before marks (`10 000 EUR`, `z. B.`, French quotes); between two
# letters, after a comma, or beside other white space, they are left over from a web page.
_HARD = "[\u00a0\u2007\u202f]"
_LETTER = r"[^\W\d_]"
_HARD_SPACE = lazy_pattern(rf"(?:(?<={_LETTER})|(?<=[,;:!?])){_HARD}+(?={_LETTER})|(?<=\s){_HARD}|{_HARD}(?=\s)")
_LINE_TAIL = lazy_pattern(r"(?<![ \t])[ \t]+(?=\n)")
_BLANK_LINES = lazy_pattern(r"\n{5,}")
_INDENTED = lazy_pattern(r"[^\n]*\n[ \t]+\S")

# Taking out one thing can uncover another: mojibake of mojibake. More rounds than this were never seen.
_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text after cleaning, and the ids of the rules that its faults broke, sorted."""

    text: str
    rules: tuple[str, ...]


def clean(text: str) -> Cleaned:
    """Return the text without its faults.

    TXT001 mojibake; TXT002 control characters; TXT003 invisible characters, but for joiners in emoji and in the
    scripts that need them; TXT004 letters that are not composed (NFC); TXT007 white space around the text and at
    the ends of lines, line ends other than LF, stray hard spaces, soft hyphens, and more than three blank lines.
    Line ends of Windows are no fault by themselves, but a set is written with one kind.
    """
    rules: set[str] = set()
    return Cleaned(_mended(text, _STEPS_OF_CLEANING, rules), tuple(sorted(rules)))


def mended(text: str, rule: str) -> str:
    """Return the text without the faults of one rule; the text itself where there are none."""
    return _mended(text, {rule: STEPS[rule]}, set())


def white_space_faults(text: str) -> list[str]:
    """Return what is wrong with the white space of a text, in words."""
    code, _ = _in_line_feeds(_without_code(text)[0])
    return [words for words, step in _WHITE_SPACE if step(code) != code]


def _mended(text: str, steps: dict[str, Step], rules: set[str]) -> str:
    for _ in range(_MAX_ROUNDS):
        before = text
        text = _round(text, steps, rules)
        if text == before:
            break
    return text


def _round(text: str, steps: dict[str, Step], rules: set[str]) -> str:
    found, code = _without_code(text)
    for rule, step in steps.items():
        if rule in _ASCII_TOO or not found.isascii():
            after = step(found)
            if after != found:
                rules.add(rule)
                found = after
    return _with_code(found, code) if code else found


def _without_code(text: str) -> tuple[str, list[str]]:
    """Return a text with one back-tick in the place of every piece of code and lone back-tick, and what these are.

    No step adds, moves or takes out a back-tick, so each finds its place again.
    """
    if "`" not in text and "~~~" not in text:
        return text, []
    code, found = [], []
    for piece, is_code in pieces(text):
        code += [piece] if is_code else ["`"] * piece.count("`")
        found.append("`" if is_code else piece)
    return "".join(found), code


def _with_code(text: str, code: Sequence[str]) -> str:
    first, *others = text.split("`")
    return first + "".join(piece + after for piece, after in zip(code, others, strict=True))


def _shows(text: str) -> bool:
    """Whether all of a text can be seen, but for spaces, tabs and line feeds: then there is little to look for."""
    return text.replace("\n", "").replace("\t", "").isprintable()


def _without_mojibake(text: str) -> str:
    looks_wrong = _MOJIBAKE.search(text)
    if not (looks_wrong or (not _shows(text) and _C1_OF_WINDOWS.search(text))) or _ABOUT_ENCODING.search(text):
        return text
    if looks_wrong:
        import ftfy

        # what lost a byte on its way cannot be put right, only guessed
        found = ftfy.fix_encoding(text, replace_lossy_sequences=False)
        if not _UNLIKELY.search(found) or _UNLIKELY.search(text):
            text = found
    return _C1_OF_WINDOWS.sub(lambda found: found[0].encode("latin-1").decode("cp1252"), text)


def _without_controls(text: str) -> str:
    if _shows(text):
        return text
    if _C1.search(text) and _without_mojibake(text) != text:
        return text  # a control character may be a part of what was decoded wrongly: that comes first
    return _CONTROL.sub(lambda found: "\n" if found["line_end"] else "", text)


def _without_invisible(text: str) -> str:
    if _shows(text):
        return _SELECTORS.sub("", text)
    if not _IS_RIGHT_TO_LEFT.search(text):
        text = _BIDI_MARK.sub("", text)
    text = _SELECTORS.sub("", _INVISIBLE.sub("", text))
    for pattern in (_TAG, _JOINER):
        text = pattern.sub(lambda found: found["kept"] or "", text)
    return text


def _composed(text: str) -> str:
    if unicodedata.is_normalized("NFC", text):
        return text
    return _COMPOSABLE.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)


def _trimmed(text: str) -> str:
    """Take off white space around the text; the first line stays indented where the next one is too."""
    found = text.strip(_SPACES)
    if found == text:
        return text
    indent = text[: len(text) - len(text.lstrip(_SPACES))].rpartition("\n")[2]
    if found and indent and not indent.strip(" \t") and _INDENTED.match(found):
        found = indent + found
    return found


def _tail(found: re.Match[str]) -> str:
    """Return what stays of white space at the end of a line: two spaces, which break the line in Markdown."""
    after_text = found.start() > 0 and found.string[found.start() - 1] != "\n"
    return "  " if found[0].endswith("  ") and after_text else ""


_WHITE_SPACE: tuple[tuple[str, Step], ...] = (
    ("mixed line ends", lambda text: text if _shows(text) else _LINE_END.sub("\n", text)),
    # layout of a web page: not seen, and it takes words apart for a tokenizer
    ("soft hyphens", lambda text: text.replace("\u00ad", "")),
    ("hard spaces between words", lambda text: text if _shows(text) else _HARD_SPACE.sub(" ", text)),
    (
        "white space at the end of a line",
        lambda text: _LINE_TAIL.sub(_tail, text) if " \n" in text or "\t\n" in text else text,
    ),
    (
        "more than three blank lines",
        lambda text: _BLANK_LINES.sub("\n\n\n\n", text) if "\n" * 5 in text else text,
    ),
    ("white space around it", _trimmed),
)


def _in_line_feeds(text: str) -> tuple[str, bool]:
    """Return a text whose lines all end in CR LF with LF in its place, and whether it is such a text."""
    if "\r\n" not in text or _OTHER_LINE_END.search(text):
        return text, False
    return text.replace("\r\n", "\n"), True


def _with_plain_space(text: str) -> str:
    text, is_of_windows = _in_line_feeds(text)
    for _, step in _WHITE_SPACE:
        text = step(text)
    return text.replace("\n", "\r\n") if is_of_windows else text


STEPS: dict[str, Step] = {
    "TXT001": _without_mojibake,
    "TXT002": _without_controls,
    "TXT003": _without_invisible,
    "TXT004": _composed,
    "TXT007": _with_plain_space,
}
_STEPS_OF_CLEANING: dict[str, Step] = {
    **STEPS,
    "TXT007": lambda text: _with_plain_space(text.replace("\r\n", "\n")),
}
_ASCII_TOO = ("TXT002", "TXT007")
