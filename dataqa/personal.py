"""Personal data in a text: e-mail addresses, telephone numbers, cards, accounts, national numbers, IP addresses.

Everything is recognised by its form and, where it has one, by its check digit: no names, no guesses. What is not
personal stays: order numbers, prices, dates, version numbers, ISBNs, `kim@example.com` in an explanation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.identifiers import find_identifiers
from tunegate.dataqa.masking import STARS, Match, find_all
from tunegate.dataqa.phones import find_phones
from tunegate.dataqa.prefilter import digit_windows, may_hold_address

# Searched from each @ outwards, so that a long word without one costs nothing. RFC 5321: 64 characters before it.
_LOCAL_PART = lazy_pattern(r"\w[\w.+%'\-]{0,63}\Z")
_DOMAIN = lazy_pattern(
    r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}(?P<top>[a-z]{2,24}|[A-Z]{2,24}|[A-Za-z]{2}|xn--[a-z0-9\-]{2,59})(?![\w\-])"
)
_INSIDE_URL = lazy_pattern(r"://[^\s/@]*\Z")
_FILE_SUFFIXES = frozenset(["css", "gif", "html", "jpeg", "jpg", "js", "json", "pdf", "png", "svg", "txt", "webp"])

# An address that explains what an address looks like belongs to nobody.
_NOBODY = lazy_pattern(
    r"(?:you|your\.?(?:name|e?mail)|me|my\.?(?:name|e?mail)|user(?:name)?|name|first\.?name(?:\.?last\.?name)?|e?mail"
    r"|someone|somebody|(?:vorname\.)?nachname|ihr\.?name|dein\.?name|jemand|beispiel|example)"
    r"@(?:(?:[\w\-]+\.)?(?:example|beispiel|domain|your-?domain|company|your-?company|e?mail|firma|provider)\.[a-z]+)\Z",
    re.IGNORECASE,
)

# Names that RFC 2606 and RFC 6761 keep for documentation and tests, where nobody can have an address. Names under
# `.example` are reported all the same: made-up people of made-up firms have theirs there, and data in which real
# people were renamed so should be masked like any other.
_RESERVED = lazy_pattern(r"(?:\A|\.)(?:example\.(?:com|net|org)|test|invalid|localhost)\Z", re.IGNORECASE)

_IPV4 = lazy_pattern(r"(?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)", re.ASCII)
# Addresses given out so far begin with 2 or 3 (RFC 4291: 2000::/3).
_IPV6 = lazy_pattern(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION_WORD = lazy_pattern(
    r"(?:\b(?:v|ver|version|release|build|firmware|driver|treiber|section|chapter|kapitel|abschnitt|rev)|§)[\s.:=]*\Z",
    re.IGNORECASE,
)


def find_personal(text: str) -> list[Match]:
    """Return the personal data of a text, in its order and without overlaps."""
    return find_all(text, _find)


def _find(text: str) -> Iterator[Match]:
    """Give the matches of every kind; where two overlap, the one of the kind that comes first counts."""
    windows = digit_windows(text)
    yield from find_emails(text)
    yield from find_identifiers(text, windows)
    yield from find_addresses(text)
    yield from find_phones(text, windows)


def find_emails(text: str) -> Iterator[Match]:
    """Give the e-mail addresses of a text."""
    at = text.find("@")
    while at >= 0:
        local = _LOCAL_PART.search(text, max(0, at - 64), at)
        domain = _DOMAIN.match(text, at + 1)
        if local and domain and _is_email(text, local, domain):
            shown = local.group()[: 2 if len(local.group()) > 2 else 1]
            yield Match(local.start(), domain.end(), "PII001", "e-mail address", f"{shown}{STARS}@{STARS}")
        at = text.find("@", at + 1)


def _is_email(text: str, local: re.Match[str], domain: re.Match[str]) -> bool:
    before = text[max(0, local.start() - 256) : local.start()]
    if before.endswith("@") or _INSIDE_URL.search(before):
        return False  # @user@server of a social network; the password in a URL
    if local.group() == "git" and text[domain.end() : domain.end() + 1] == ":":
        return False  # the address of a repository
    address = text[local.start() : domain.end()]
    if domain["top"].lower() in _FILE_SUFFIXES or _RESERVED.search(domain.group()):
        return False
    return not _NOBODY.match(address)


def find_addresses(text: str) -> Iterator[Match]:
    """Give the public IP addresses of a text, of version 4 and 6."""
    if not may_hold_address(text.encode("utf-8", "surrogatepass")):
        return
    for found in _IPV4.finditer(text):
        version = _VERSION_WORD.search(text, max(0, found.start() - 24), found.start())
        if version is None and _is_public(found.group()):
            first, second, *_ = found.group().split(".")
            yield Match(*found.span(), "PII004", "public IP address", f"{first}.{second}.*.*")
    for found in _IPV6.finditer(text):
        if _is_public(found.group()):
            yield Match(*found.span(), "PII004", "public IP address", f"{found.group()[:4]}:{STARS}")


def _is_public(address: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
