"""The page without a browser: same bytes, small, sealed, and every part may be missing."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tunegate.reports.html import render
from tunegate.reports.names import STATUS

Rows = list[dict[str, Any]]


def page_of(sample: ModuleType, rows: Rows, result: dict[str, Any]) -> str:
    return render(result, rows, sample.ledger(), sample.timing())


def test_equal_input_gives_equal_bytes(sample: ModuleType, rows: Rows) -> None:
    first = page_of(sample, rows, sample.result(rows))
    assert first == page_of(sample, copy.deepcopy(rows), json.loads(json.dumps(sample.result(rows))))


def test_it_is_small_without_samples(sample: ModuleType, rows: Rows) -> None:
    assert len(page_of(sample, [], sample.result(rows)).encode()) <= 300_000


def test_only_its_own_style_and_script_are_let_in(sample: ModuleType, rows: Rows) -> None:
    page = page_of(sample, rows, sample.result(rows))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;;")
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest.replace('+', '&#43;')}&#39;" in policy[1].replace("+", "&#43;")
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)


def test_nothing_points_outside(sample: ModuleType, rows: Rows) -> None:
    page = page_of(sample, rows, sample.result(rows))
    links = re.findall(r'(?:href|src|action|data)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("#", "data:application/json;base64,")) for link in links)
    assert "url(" not in page
    assert "@import" not in page


def test_any_part_may_be_missing(sample: ModuleType, rows: Rows) -> None:
    whole = sample.result(rows)
    for result in (whole, {}, *({name: whole[name] for name in whole if name != missing} for missing in whole)):
        page = page_of(sample, [], result)
        text = re.sub(r"<(style|script|thead).*?</\1>", "", page, flags=re.DOTALL)
        assert not re.search(r">\s*(None|nan|ABSENT)\s*<", text)
        assert "Node(" not in text


@pytest.mark.parametrize("section", ["check", "preparation", "screening", "training", "metrics"])
@pytest.mark.parametrize("value", [None, {}, [], "broken", 3])
def test_a_broken_section_does_not_stop_the_page(
    sample: ModuleType, rows: Rows, section: str, value: object
) -> None:
    result = sample.result(rows) | {section: value}
    assert "Release verdict" in page_of(sample, [], result)


def test_an_unknown_verdict_is_never_a_pass(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    result["verdict"]["status"] = "PASSED"
    assert '<h1 id="verdict-word" class="word error">' in page_of(sample, [], result)
    result["verdict"] = {"status": "pass", "waived": 2}
    assert "Pass with waivers" in page_of(sample, [], result)


@pytest.mark.parametrize("status", STATUS)
def test_each_verdict_has_its_word_and_its_sign(sample: ModuleType, rows: Rows, status: str) -> None:
    result = sample.result(rows)
    result["verdict"] |= {"status": status}
    page = page_of(sample, [], result)
    head = page[page.index("<h1") : page.index("</h1>")]
    assert STATUS[status].word in head
    assert f'href="#icon-{status}"' in head
    assert f'<symbol id="icon-{status}"' in page


ALARM = "The rows do not add up"


@pytest.mark.parametrize(
    "change",
    [
        lambda result: result["preparation"].update(rows_out=result["preparation"]["rows_out"] + 1),
        lambda result: result["preparation"].update(rows_out=None),
        lambda result: result["screening"].update(rows_blocked=2),
        lambda result: result["data"][0].update(rows=496),
        lambda result: result["preparation"].update(added={"TOK001": 1}),
    ],
)
def test_rows_that_do_not_add_up_are_said_loudly(
    sample: ModuleType, rows: Rows, change: Callable[[dict[str, Any]], None]
) -> None:
    result = sample.result(rows)
    assert ALARM not in page_of(sample, [], result)
    change(result)
    assert ALARM in page_of(sample, [], result)


def test_parts_of_cut_chats_add_up(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    result["preparation"]["rows_in"] -= 2
    result["preparation"]["added"] = {"TOK001": 2}
    page = page_of(sample, [], result)
    assert ALARM not in page
    assert "more by cutting long chats" in page


def test_without_screening_no_row_is_called_screened(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    del result["screening"]
    page = page_of(sample, [], result)
    assert ALARM not in page
    assert "Left by screening" not in page
    assert "after screening" not in page


def test_a_failed_integrity_check_is_a_rule(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    message = "model/adapter.safetensors changed after `tunegate train`"
    result["checks"].insert(
        0, {"rule_id": "integrity", "kind": "integrity", "verdict": "error", "message": message}
    )
    result["verdict"] = {"status": "error", "reasons": [], "exit_code": 4, "waived": 0}
    assert message in page_of(sample, [], result)


def test_many_labels_give_a_list_of_confusions(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    labels = [f"label_{index}" for index in range(77)]
    counts = [[0] * 78 for _ in range(78)]
    counts[3][5], counts[9][77] = 4, 9
    result["confusion"] = {"labels": [*labels, "(other)"], "base": counts, "tuned": counts}
    page = page_of(sample, [], result)
    assert 'class="matrix"' not in page
    assert page.index("label_9</th><td>(other)") < page.index("label_3</th><td>label_5")


def test_all_rows_are_packed_for_the_script(sample: ModuleType, rows: Rows) -> None:
    page = page_of(sample, rows, sample.result(rows))
    packed = re.search(r'id="packed">([^<]*)<', page)
    assert packed is not None
    records = json.loads(zlib.decompress(base64.b64decode(packed[1])))
    assert sorted(record[0] for record in records) == sorted(row["id"] for row in rows)
    order = [record[2] for record in records]
    assert order == sorted(order, key=["newly-failing", "both-wrong", "newly-passing", "both-right"].index)


def test_likelihoods_count_where_nothing_was_generated(sample: ModuleType) -> None:
    from tunegate.reports.view_samples import samples_view

    rows = sample.samples(20)
    for row in rows:
        for side in ("base", "cand"):
            row[side] |= {"answer": None, "label": None, "correct": None, "valid": None, "correct_ll": True}
    view = samples_view(rows)
    assert view.states == {"both-right": 20}
    for row in rows:
        row["base"]["correct_ll"] = None
    view = samples_view(rows)
    assert view.states == {"not-scored": 20}
    assert not view.count("newly-failing").known


def test_a_system_message_that_all_share_is_shown_once(sample: ModuleType, rows: Rows) -> None:
    page = page_of(sample, rows, sample.result(rows))
    assert page.count(sample.SYSTEM) == 1


def test_an_interval_without_variation_is_not_shown_as_certainty(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    for metric in result["metrics"]:
        if metric["id"] == "perplexity":
            metric["delta"]["ci"] |= {"low": 0.0, "high": 0.0}
            metric["power"]["detectable_delta_80"] = None
            continue
        metric["ci"] |= {"low": metric["value"], "high": metric["value"]}
        metric["baseline"]["ci"] |= {"low": 0.0, "high": 0.0}
        metric["power"]["detectable_delta_80"] = 0.0
    page = page_of(sample, rows, result)
    table = re.sub(r"<[^>]*>", "", page[page.index('class="metrics"') : page.index("What the metrics mean")])
    assert table.count(f"no variation in {len(rows)} rows") == 9
    assert not re.search(r"(\S+) to \1\b", table.replace("\u00a0", ""))
    assert table.count("not known") == 5 + 9
    assert "Figure(" not in table


def test_a_difference_that_is_known_says_so(sample: ModuleType, rows: Rows) -> None:
    result = sample.result(rows)
    result["checks"][1]["interval"] |= {"low": 0.0, "high": 0.0, "method": "the same in every row"}
    text = re.sub(r"<[^>]*>", "", page_of(sample, rows, result))
    assert "the same in each of 300 rows" in text


def plain(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page).replace("\u00a0", " ")


def test_each_bound_of_the_harm_rate_says_which_it_is(sample: ModuleType, rows: Rows) -> None:
    text = plain(page_of(sample, rows, sample.result(rows)))
    rules, metrics = text[: text.index("Rows that were dropped")], text[text.index("Visible from") :]
    assert "0 % to 0.994 %, one-sided" in rules
    assert "0 % to 1.23 %, two-sided" in metrics
    assert "at most 0.994 %, one-sided" in metrics
    assert "The harm rate has two bounds" in metrics


def test_stages_stand_in_the_order_of_the_work(sample: ModuleType, rows: Rows) -> None:
    timing = sample.timing()
    stages = ["check", "prepare", "screen", "train", "evaluate"]
    timing["stages"] = {name: timing["stages"][name] for name in sorted(stages)} | {"upload": {"seconds": 1.0}}
    page = render(sample.result(rows), rows, [], timing)
    table = page[page.index("Time taken") : page.index("Make it again")]
    assert re.findall(r'<th scope="row">(\w+)<', table) == [*stages, "upload"]


def test_pages_of_equal_runs_differ_in_clock_times_alone(sample: ModuleType, rows: Rows) -> None:
    result, later = sample.result(rows), sample.timing()
    for stage in later["stages"].values():
        stage |= {"seconds": stage["seconds"] * 2, "finished": "2027-01-01T00:00:00Z"}
    one, two = (render(result, rows, sample.ledger(), timing) for timing in (sample.timing(), later))
    assert one != two
    timed = re.compile(r'<(data|bdi)[^>]*data-key="timing\.json#[^>]*>[^<]*</\1>')
    assert timed.sub("", one) == timed.sub("", two)
    assert "since the last start, ended 2027-01-01T00:00:00Z" in plain(two)
