"""Personal data: what is found, what must not be, and how fast a text without any is done with."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.identifiers import luhn
from tunegate.dataqa.personal import find_personal
from tunegate.dataqa.prefilter import may_hold_address, may_hold_number
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_personal import RULES

# Telephone numbers of ranges kept for fiction, test cards of the schemes, accounts of public documentation.
FOUND = [
    ("PII001", "max.mustermann@firma.de", "Schreib an {}!"),
    ("PII001", "o'neill+shop@mail.firma.example", "Reach me at <{}>."),
    ("PII001", "jürgen@müller.example", "Meine Adresse: {}"),
    ("PII001", "kim.berg@example.de", "Antwort an {}"),
    ("PII001", "kim.berg@test.com", "{}"),
    ("PII001", "kim.berg@myexample.com", "{}"),
    ("PII001", "A.B@C-D.CO.UK", "mailto:{}"),
    ("PII001", "+49 30 23125 417", "Bitte unter {} anrufen."),
    ("PII001", "+49 (0)30 23125-417", "Tel.: {}"),
    ("PII001", "0049 30 23125417", "Tel. {}"),
    ("PII001", "+4917604069012", "WhatsApp: {}"),
    ("PII001", "030 23125417", "Ich bin unter {} zu erreichen."),
    ("PII001", "030/23125-417", "Ich wohne in Berlin, {}, zweiter Stock."),
    ("PII001", "(030) 23125417", "Festnetz {}"),
    ("PII001", "017604069012", "mobil {} oder abends daheim"),
    ("PII001", "0176 04069012", "Meine Bestellung ist da, Handy {}"),
    ("PII001", "+44 7700 900318", "ring me on {}, please"),
    ("PII001", "+44\u00a020\u00a07946\u00a00958", "Call {} now"),
    ("PII001", "020 7946 0958", "My number is {}."),
    ("PII001", "+1 202-555-0147", "{}"),
    ("PII001", "(202) 555-0147", "Our office: {}"),
    ("PII001", "202-555-0147", "Leave a message: {}"),
    ("PII001", "+44 20 7946 0958", "Nummer {} 12 Uhr"),
    ("PII002", "4111 1111 1111 1111", "Visa {} bis 12/27"),
    ("PII002", "4111111111111111", "card:{},12/27"),
    ("PII002", "5555-5555-5555-4444", "Mastercard {}."),
    ("PII002", "3782 822463 10005", "Amex {}"),
    ("PII002", "2223003122003222", "{}"),
    ("PII002", "6011 0009 9013 9424", "number={}"),
    ("PII003", "DE89 3704 0044 0532 0130 00", "IBAN {}. Wann kommt das Geld?"),
    ("PII003", "DE89370400440532013000", "mein Konto ({})"),
    ("PII003", "de89 3704 0044 0532 0130 00", "iban: {}"),
    ("PII003", "GB82 WEST 1234 5698 7654 32", "PLEASE USE {} FROM NOW ON"),
    ("PII003", "NL91ABNA0417164300", "{}"),
    ("PII003", "FR14 2004 1010 0505 0001 3M02 606", "Virement : {}"),
    ("PII003", "86 095 742 719", "Die Nummer {} steht im Bescheid."),
    ("PII003", "86095742719", "Meine Steuer-ID ist {}."),
    ("PII003", "536-90-4399", "It says {} on the form."),
    ("PII003", "536904399", "my social security number {}"),
    ("PII004", "8.8.8.8", "ping {} fails"),
    ("PII004", "93.184.216.34", "Besuch von {}, 200 OK"),
    ("PII004", "2a00:1450:4001:82a::200e", "AAAA {}"),
]


@pytest.mark.parametrize(("rule", "value", "sentence"), FOUND)
def test_is_found_whole_and_alone(rule: str, value: str, sentence: str) -> None:
    text = sentence.format(value)
    matches = find_personal(text)
    assert [(match.rule, text[match.start : match.end]) for match in matches] == [(rule, value)]
    assert value not in matches[0].masked
    assert sum(sign.isalnum() for sign in matches[0].masked) <= 6


HARMLESS = [
    # orders, prices, dates, sizes
    "Where is FL-48213, or FL/77-03, or 20-44518, or 2024-FL-7781?",
    "Bestellung 0231-556677 vom 12.03.2024, Auftrag 030 23125417",
    "order 202-555-0147 and ticket 0176 04069012",
    "Three at 1.299,00 EUR, one at $1,299.00, in all 4.187.654.321 won",
    "From 2024-05-12 10:30 to 2024-06-01 18:00, or 01.02.2024, or 01/02/2024 1030",
    "Saison 08/2023 - 09/2024, geöffnet 09 - 18 Uhr, Tel. auf der Rückseite",
    "Lotto: 05 12 23 34 45 49, Zusatzzahl 7",
    "Packing list 12 34 56 78 90 12 34 56 78",
    "Population +10 000 000 in ten years",
    "Tracking 00340434161094042557 and 0034 0434 1610 9404 2557",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
    "It measures 210 x 140 x 115 cm and weighs 2.4 kg.",
    # books and articles
    "ISBN 978-3-16-148410-0, ISBN 0-306-40615-2, 0306406152, EAN 4006381333931",
    # wrong check digits
    "Card 4111 1111 1111 1112 and 5555-5555-5555-4445",
    "DE88 3704 0044 0532 0130 00 and GB82 WEST 1234 5698 7654 33",
    "Steuer-ID 86 095 742 718",
    "000-12-3456, 666-12-3456, 900-12-3456, 078-05-1120",
    # a right check digit in something longer, or of no issuer
    "9994111111111111111 FL-4111111111111111 v4111111111111111",
    "0000 0000 0000 0000 and 1111 1111 1111 1117",
    # a German tax number without its groups or a word for it
    "Vorgang 86095742719",
    # versions, chapters, private and documentation addresses, times
    "version 8.8.8.8, v1.2.3.4, Kapitel 3.1.4.1, section 9.9.9.9, 1.2.3, 300.1.2.3, 1.2.3.4.5",
    "192.168.1.1, 10.0.0.1, 127.0.0.1, 203.0.113.7, 2001:db8::1, fe80::1, ::1",
    "std::vector<int>, a::b, 10:30:15:20, 2024:05:12",
    # not addresses of people
    "name@example.com, your.name@example.org, vorname.nachname@firma.de, user@domain.com",
    "kim.berg@example.com, Kim.Berg@mail.Example.ORG, kim@example.net",
    "kim@shop.test, kim@a.b.invalid, kim@x.localhost",
    "git@github.com:fjordline/shop.git, react@18.2.0, icon@2x.png, @fjordline, @moose@hills.social",
    "Meet @ noon, 3 @ 5 EUR, foo@bar, ma***@***, user@localhost",
    "https://shop:secret@host.example/basket",
    # already masked
    "+49***, 4111***, DE89***, ***-**-****, 8.8.*.*, 2a00:***",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_near_misses_do_not_alarm(text: str) -> None:
    assert find_personal(text) == []


def test_matches_do_not_overlap_and_stand_in_order() -> None:
    text = "max@firma.de oder +49 30 23125 417, Karte 4111111111111111, DE89370400440532013000, von 8.8.8.8"
    matches = find_personal(text)
    assert [match.rule for match in matches] == ["PII001", "PII001", "PII002", "PII003", "PII004"]
    assert all(left.end <= right.start for left, right in itertools.pairwise(matches))


def test_luhn_equals_the_package() -> None:
    from stdnum import luhn as oracle

    for number in range(10_000, 12_000):
        assert luhn(str(number)) == oracle.is_valid(str(number))


CASES = st.sampled_from([value for _, value, _ in FOUND])
SIGNS = st.text(
    alphabet=st.sampled_from("0123456789 -./()+@:äe\\u\u00a0\u2009ßDE٣²\u200b\u0000\u00ad\U000e0061"), max_size=40
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(CASES, SIGNS), max_size=6).map(" ".join), st.booleans())
def test_the_prefilters_never_miss(text: str, ascii_only: bool) -> None:
    for raw in (text.encode(), json.dumps({"content": text}, ensure_ascii=ascii_only).encode()):
        for match in find_personal(text):
            if match.rule == "PII004":
                assert may_hold_address(raw)
            elif match.kind != "e-mail address":
                assert may_hold_number(raw)


def row_of(text: object) -> Row:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]
    return Row(json.dumps({"messages": messages}).encode())


@pytest.mark.parametrize(("rule", "value", "sentence"), FOUND)
def test_rules_hit_mask_and_are_then_silent(rule: str, value: str, sentence: str) -> None:
    row = row_of(sentence.format(value))
    found = [(each, hit) for each in RULES for hit in each.check(row)]
    assert [each.id for each, _ in found] == [rule]
    each, hit = found[0]
    assert value not in hit.message
    assert hit.at == ("messages", 0, "content")
    assert each.repair is not None
    repaired = row_of(each.repair(row, hit))
    assert value not in repaired.raw.decode("unicode_escape")
    assert not [hit for each in RULES for hit in each.check(repaired)]


def test_every_string_of_a_row_is_looked_at() -> None:
    mail = "max@firma.de"
    row = Row(
        json.dumps(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": mail},
                            {"image_url": f"data:image/png;base64,{mail}"},
                        ],
                    },
                    {"role": "assistant", "tool_calls": [{"function": {"arguments": json.dumps({"to": mail})}}]},
                ],
                "metadata": {"from": f"data: {mail}"},
            }
        ).encode()
    )
    hits = list(RULES[0].check(row))
    assert [hit.at for hit in hits] == [
        ("messages", 0, "content", 0, "text"),
        ("messages", 1, "tool_calls", 0, "function", "arguments"),
        ("metadata", "from"),
    ]
    assert RULES[0].repair is not None
    assert json.loads(RULES[0].repair(row, hits[1])) == {"to": "ma***@***"}


def test_a_deeply_nested_row_is_looked_at() -> None:
    row = Row(b'{"metadata":' + b"[" * 190 + b'"max@firma.de"' + b"]" * 190 + b"}")
    assert [len(hit.at) for hit in RULES[0].check(row)] == [191]


def test_a_row_without_any_is_fast() -> None:
    words = "The driver came by while we were out and left a note that nobody here can read at all. "
    row = row_of(words * 17)
    assert len(row.raw) > 1_450
    best = min(_seconds(row) for _ in range(200))
    # 6 microseconds where this was written; the bar leaves room for a busy machine
    assert best < 60e-6


def _seconds(row: Row) -> float:
    may_hold_number.cache_clear()
    start = time.perf_counter()
    for each in RULES:
        assert not list(each.check(row))
    return time.perf_counter() - start


def test_a_long_text_without_spaces_takes_no_longer_than_its_length() -> None:
    for text in ("a" * 200_000, "1" * 200_000, "12 " * 70_000, "a@" * 100_000, "AB12 " * 40_000, "+49 " * 50_000):
        start = time.perf_counter()
        find_personal(text)
        assert time.perf_counter() - start < 3
