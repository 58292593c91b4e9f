"""Telephone numbers: candidates by their form, judged by the numbering plans of the package phonenumbers.

A number with a country code is one when its plan allows it. A national number (Germany, the United Kingdom, the
United States) must also look like a telephone number and not like an order number: by its grouping, as a mobile
number, or by the words before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.masking import Match, show_first
from tunegate.dataqa.prefilter import DIGITS, HYPHENS, SPACES, Window

_BETWEEN = f"[{SPACES}{HYPHENS}/().]{{0,3}}"
_INTERNATIONAL = lazy_pattern(
    rf"(?<![\w.+])(?:\+|00)[1-9](?:{_BETWEEN}\d){{7,16}}(?![A-Za-z_]|[{SPACES}{HYPHENS}/.]?\d)", re.ASCII
)
_NATIONAL = lazy_pattern(
    rf"(?<![\w+{HYPHENS}./,#=])(?<!\d[{SPACES}])\(?0[1-9](?:[{SPACES}{HYPHENS}/()]{{0,3}}\d){{7,10}}"
    rf"(?![A-Za-z_]|[{SPACES}{HYPHENS}/.,:]?\d)",
    re.ASCII,
)
_AMERICAN = lazy_pattern(
    rf"(?<![\w+{HYPHENS}./])(?:1[-. ])?"
    r"(?:\([2-9]\d\d\)[ ]?[2-9]\d\d[-. ]\d{4}|[2-9]\d\d(?P<between>[-. ])[2-9]\d\d(?P=between)\d{4})"
    rf"(?![A-Za-z_]|[{HYPHENS}.]?\d)",
    re.ASCII,
)

# Words before a number, within so many characters, that say what it is.
_REACH = 40
_PHONE_WORD = lazy_pattern(
    r"\b(?:tel|fon|phone|call|ring|mobile|cell|handy|mobil|fax|whats ?app|sms|text me|erreich|ruf|anruf|rückruf"
    r"|durchwahl|hotline)",
    re.IGNORECASE,
)
_OTHER_WORD = lazy_pattern(
    r"order|bestell|auftrag|rechnung|invoice|ticket|track|sendung|paket|parcel|kunde|customer|\bref|artikel"
    r"|article|isbn|\bean\b|gtin|\bsku\b|serial|serien|vorgang|konto|account|iban|\bpo\b|\bids?\b|steuer|\btax",
    re.IGNORECASE,
)

_AMOUNT = lazy_pattern(rf"\+\d{{1,3}}(?:[{SPACES}.]\d{{3}})+\Z")  # +10 000 000
_DATE = lazy_pattern(r"0\d[/-](?:\d{1,2}[/-](?:19|20)?\d\d|(?:19|20)\d\d)(?!\d)")
_PAIRS = lazy_pattern(rf"\d\d(?:[{SPACES}{HYPHENS}]\d\d){{3,}}\Z")  # lottery numbers as well as French ones
_OTHER_GROUPS = lazy_pattern(r"\d{3}-\d\d-\d{4}\Z")  # as social security numbers are written
_AREA_CODE = lazy_pattern(rf"\(?0\d{{1,4}}(?:\)|(?=[{SPACES}{HYPHENS}/]))[{SPACES}{HYPHENS}/]*\d")
_MOBILE = lazy_pattern(r"0(?:1[5-7]\d{8,9}|7\d{9})\Z")  # Germany, the United Kingdom
_LAST_GROUP = lazy_pattern(r"\D*\d+\Z")


def find_phones(text: str, windows: Iterable[Window]) -> Iterator[Match]:
    """Give the telephone numbers that stand in the windows of a text."""
    for start, end, digits in windows:
        if digits == 8 and text[start : start + 2] in ("19", "20"):
            continue  # a date; a number of eight digits has a country code
        for pattern, measure in _PLANS:
            for found in pattern.finditer(text, max(0, start - 2), end + 2):
                before = text[max(0, found.start() - _REACH) : found.start()]
                number = found.group()[: measure(found.group(), before)]
                if number:
                    close = found.start() + len(number)
                    yield Match(found.start(), close, "PII001", "telephone number", show_first(number, 3))


def _international(candidate: str, _before: str) -> int:
    """Return how many characters of the candidate are a number, or 0: words after it may be digits too."""
    number = candidate
    while sum(map(str.isdigit, number)) >= DIGITS:
        if _is_valid(number, None) or (_is_possible(number) and not _AMOUNT.match(number)):
            return len(number)
        number = _LAST_GROUP.sub("", number)
    return 0


def _national(candidate: str, before: str) -> int:
    """Return the length of the candidate if it is a number of Germany or the United Kingdom, else 0."""
    if _DATE.match(candidate) or _OTHER_GROUPS.match(candidate):
        return 0
    if not _PHONE_WORD.search(before):
        looks_right = _AREA_CODE.match(candidate) or _MOBILE.match(candidate)
        if _OTHER_WORD.search(before) or not looks_right or _PAIRS.match(candidate):
            return 0
    return len(candidate) if any(_is_valid(candidate, region) for region in ("DE", "GB")) else 0


def _american(candidate: str, before: str) -> int:
    """Return the length of the candidate if it is a number of the United States, else 0."""
    if not _PHONE_WORD.search(before):
        in_groups = candidate.count(" ") > 1  # three groups of digits may be anything
        if in_groups or _OTHER_WORD.search(before):
            return 0
    return len(candidate) if _is_valid(candidate, "US") else 0


_PLANS = ((_INTERNATIONAL, _international), (_NATIONAL, _national), (_AMERICAN, _american))


def _is_valid(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(_with_plus(number), region)))
    except phonenumbers.NumberParseException:
        return False


def _is_possible(number: str) -> bool:
    """Whether a number with a plus has a length that its country uses: covers the ranges kept for fiction."""
    import phonenumbers

    if not number.startswith("+"):
        return False
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    return bool(reason == phonenumbers.ValidationResult.IS_POSSIBLE)


def _with_plus(number: str) -> str:
    return "+" + number[2:] if number.startswith("00") else number
