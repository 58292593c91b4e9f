# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""The PII rules: personal data anywhere in a row. Messages and repairs show it masked only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tunegate.core.findings import Severity
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.personal import find_personal
from tunegate.dataqa.prefilter import may_hold_address, may_hold_number
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule, rule
from tunegate.dataqa.sensitive import chat_example, hits, looking_for, masked

_look = looking_for(find_personal)
_REPAIR = "mask it, or drop the row"


def _may_hold_contact(raw: bytes) -> bool:
    return b"@" in raw or (b"\\" in raw and b"\\u0040" in raw) or may_hold_number(raw)


@rule(
    "PII001",
    Severity.WARNING,
    bad=chat_example("Please write to max.muster@firma.example from now on."),
    good=chat_example("Please write to my work address from now on, order FL-48213."),
    says="e-mail address ma***@***: mask it, or drop the row",
    fix="unsafe",
    repair=partial(masked, find=find_personal, rule_id="PII001"),
    may_hit=_may_hold_contact,
)
def contact(row: Row) -> Iterator[Hit]:
    """A text holds an e-mail address or a telephone number.

    A model can repeat what it was trained on, word for word. Numbers are judged by the numbering plan of their
    country; without a country code those of Germany, the United Kingdom and the United States are known. Addresses
    that belong to nobody are left alone: `name@company.com` in an explanation, and all of `example.com`, `.net`
    and `.org`, `.test`, `.invalid` and `.localhost`, which RFC 2606 and RFC 6761 keep for documentation and tests.
    Under `.example`, where made-up firms have theirs, they are reported.
    """
    yield from hits(row, _look, "PII001", _REPAIR)


@rule(
    "PII002",
    Severity.ERROR,
    bad=chat_example("My card 4111 1111 1111 1111 is refused."),
    good=chat_example("My card 4111 1111 1111 1112 is refused."),
    says="payment card number 4111***: mask it, or drop the row",
    fix="unsafe",
    repair=partial(masked, find=find_personal, rule_id="PII002"),
    may_hit=may_hold_number,
)
def payment_card(row: Row) -> Iterator[Hit]:
    """A text holds the number of a payment card.

    The first digits are those of an issuer, the length is the issuer's, and the check digit (Luhn's formula) is
    right. Test numbers of the card schemes have that form too, and are reported.
    """
    yield from hits(row, _look, "PII002", _REPAIR)


@rule(
    "PII003",
    Severity.ERROR,
    bad=chat_example("Bitte an DE89 3704 0044 0532 0130 00 zahlen."),
    good=chat_example("Bitte an DE88 3704 0044 0532 0130 00 zahlen."),
    says="bank account number (IBAN) DE89***: mask it, or drop the row",
    fix="unsafe",
    repair=partial(masked, find=find_personal, rule_id="PII003"),
    may_hit=may_hold_number,
)
def account_or_national_id(row: Row) -> Iterator[Hit]:
    """A text holds a bank account number (IBAN), or a number that a state gave to a person.

    IBAN: check digits (modulo 97) and length of its country. German tax number (Steuer-IdNr): check digit, and its
    groups or a word for it. Social security number of the United States: ranges that are given out.
    """
    yield from hits(row, _look, "PII003", _REPAIR)


@rule(
    "PII004",
    Severity.INFO,
    bad=chat_example("My router says 8.8.8.8 when it fails."),
    good=chat_example("My router says 192.168.8.8 when it fails."),
    says="public IP address 8.8.*.*: mask it, or drop the row",
    fix="unsafe",
    repair=partial(masked, find=find_personal, rule_id="PII004"),
    may_hit=may_hold_address,
)
def public_address(row: Row) -> Iterator[Hit]:
    """A text holds a public IP address.

    An address, of version 4 or 6, can lead to a person or to a machine. Private and documentation ranges are left
    alone, and version numbers where the word before them says so.
    """
    yield from hits(row, _look, "PII004", _REPAIR)


RULES: tuple[Rule, ...] = (contact, payment_card, account_or_national_id, public_address)
