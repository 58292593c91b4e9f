"""Numbers with a check digit: payment cards, bank accounts, and the numbers that states give to people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.masking import Match, show_first
from tunegate.dataqa.prefilter import Window

_NOT_BEFORE = r"(?<![\w./+\-])"
_NOT_AFTER = r"(?!\w|[.\-]\d)"

# Cards: one run of digits, or groups as they are printed, with one kind of separator.
_CARD = lazy_pattern(
    rf"{_NOT_BEFORE}(?:\d{{4}}(?:(?P<four>[ \u00a0\-])\d{{4}})(?:(?P=four)\d{{4}}){{2}}(?:(?P=four)\d{{3}})?"
    rf"|\d{{4}}(?P<six>[ \u00a0\-])\d{{6}}(?P=six)\d{{4,5}}"
    rf"|\d{{13,19}}){_NOT_AFTER}",
    re.ASCII,
)
# Issuer prefixes and lengths (ISO/IEC 7812): Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay.
_ISSUERS = lazy_pattern(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}"
    r"|3(?:0[0-5]|[68]\d)\d{11}"
    r"|35(?:2[89]|[3-8]\d)\d{12}"
    r"|62\d{14,17}"
)

_IBAN = lazy_pattern(r"(?<!\w)[A-Z]{2}\d{2}(?:[ \u00a0\-]?[A-Z0-9]){11,30}(?!\w)", re.ASCII)
_IBAN_SMALL = lazy_pattern(r"(?<!\w)[a-z]{2}\d{2}(?:[ \u00a0\-]?\d){11,30}(?!\w)", re.ASCII)
_COUNTRY = lazy_pattern(r"[A-Za-z]{2}\d\d", re.ASCII)
_BETWEEN = lazy_pattern(r"[ \u00a0\-]")
# An IBAN may hold letters: so far before and after its digits it can reach.
_IBAN_HEAD, _IBAN_TAIL = 16, 32

_GERMAN_TAX_ID = lazy_pattern(
    rf"{_NOT_BEFORE}[1-9]\d(?:(?P<space>[ \u00a0]?)\d{{3}}(?:(?P=space)\d{{3}}){{2}}){_NOT_AFTER}", re.ASCII
)
_TAX_WORD = lazy_pattern(r"steuer|tax|id-?nr|identifikation|\btin\b", re.IGNORECASE)
_SSN = lazy_pattern(r"(?<![\w\-])\d{3}(?P<dash>[\- ]?)\d{2}(?P=dash)\d{4}(?![\w\-]|\.\d)", re.ASCII)
_SSN_WORD = lazy_pattern(r"\bssn\b|social security|sozialversicherung", re.IGNORECASE)
_REACH = 60


def find_identifiers(text: str, windows: Iterable[Window]) -> Iterator[Match]:
    """Give the numbers with a check digit that stand in the windows of a text."""
    for start, end, digits in windows:
        head = max(0, start - _IBAN_HEAD)
        if _COUNTRY.search(text, head, start + 2):
            yield from _ibans(text, head, end + _IBAN_TAIL)
        if digits >= 13:
            yield from _cards(text, start, end + 2)
        if digits >= 9:
            yield from _national_ids(text, start, end + 2)


def _cards(text: str, start: int, end: int) -> Iterator[Match]:
    """Give the numbers of payment cards: a known issuer, its length, and the check digit of Luhn's formula."""
    for found in _CARD.finditer(text, start, end):
        digits = _BETWEEN.sub("", found.group())
        if _ISSUERS.fullmatch(digits) and luhn(digits):
            yield Match(*found.span(), "PII002", "payment card number", show_first(found.group(), 4))


def luhn(digits: str) -> bool:
    """Whether the last digit is right: every second digit from the end doubled, the sum a multiple of 10."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _ibans(text: str, start: int, end: int) -> Iterator[Match]:
    """Give the bank account numbers (ISO 13616): the check digits are right, the length is the country's."""
    for pattern in (_IBAN, _IBAN_SMALL):
        for found in pattern.finditer(text, start, end):
            number = _longest_iban(found.group())
            if number:
                end = found.start() + len(number)
                yield Match(found.start(), end, "PII003", "bank account number (IBAN)", show_first(number, 4))


def _longest_iban(candidate: str) -> str:
    """Return the longest run of whole groups that is an IBAN; capital letters after it may be words."""
    from stdnum import iban

    number = candidate
    while number and not iban.is_valid(number):
        groups = list(_BETWEEN.finditer(number))
        number = number[: groups[-1].start()] if groups else ""
    return number


def _national_ids(text: str, start: int, end: int) -> Iterator[Match]:
    """Give German tax numbers (Steuer-IdNr) and social security numbers of the United States.

    A tax number has a check digit and stands in its usual groups or near a word for it. A social security number
    lies in the ranges that are given out, with its hyphens or near its name.
    """
    for found in _GERMAN_TAX_ID.finditer(text, start, end):
        if (found["space"] or _is_near(_TAX_WORD, text, found)) and _is_german_tax_id(found.group()):
            yield Match(*found.span(), "PII003", "German tax number", show_first(found.group(), 2))
    for found in _SSN.finditer(text, start, end):
        if (found["dash"] == "-" or _is_near(_SSN_WORD, text, found)) and _is_ssn(found.group()):
            yield Match(*found.span(), "PII003", "social security number", "***-**-****")


def _is_german_tax_id(number: str) -> bool:
    from stdnum.de import idnr

    return bool(idnr.is_valid(number.replace("\u00a0", " ")))


def _is_ssn(number: str) -> bool:
    from stdnum.us import ssn

    return bool(ssn.is_valid(_BETWEEN.sub("", number)))


def _is_near(word: re.Pattern[str], text: str, found: re.Match[str]) -> bool:
    around = text[max(0, found.start() - _REACH) : found.end() + _REACH // 2]
    return word.search(around) is not None
