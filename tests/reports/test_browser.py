"""The page in a real browser: every number, hostile text, accessibility, size, keys, and without a script."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from importlib import resources
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from tunegate.core.files import write_json
from tunegate.reports.html import render

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Opened = Callable[..., Page]

Rows = list[dict[str, Any]]


def page_of(sample: ModuleType, rows: Rows, result: dict[str, Any] | None = None) -> str:
    return render(result or sample.result(rows), rows, sample.ledger(), sample.timing())


# Every number


def resolve(sources: dict[str, Any], key: str) -> Any:
    """Look a place up; written apart from the code that makes it."""
    name, _, pointer = key.partition("#") if re.match(r"[a-z.]+#", key) else ("result.json", "", key)
    if name == "samples.jsonl.gz":
        rows = sources[name]
        if not pointer:
            return len(rows)
        right = {"newly-failing": (True, False), "newly-passing": (False, True)}[pointer]
        return sum((row["base"]["correct"], row["cand"]["correct"]) == right for row in rows)
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return walk(sources[name], steps)


def walk(value: Any, steps: list[str]) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if step == "*":
        children = value.values() if isinstance(value, dict) else value
        return sum(walk(child, rest) for child in children)
    if step == "#":
        return len(value)
    if step.startswith("#"):
        field, _, wanted = step[1:].partition("=")
        return sum(child[field] == wanted for child in value)
    if isinstance(value, list):
        return walk(value[int(step)], rest) if step.isdigit() and int(step) < len(value) else None
    return walk(value.get(step), rest) if isinstance(value, dict) else None


SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
SECONDS = {"s": 1, "min": 60, "h": 3600}
BYTES = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


def read(text: str, kind: str) -> tuple[float, float]:
    """Read a number as a person would; returns it and half of what its last digit stands for."""
    plain = text.replace("\u202f", "").replace("\u2212", "-").replace("\u00a0", " ").removeprefix("+")
    if kind == "seconds":
        parts = re.findall(r"([\d.]+) (h|min|s)", plain)
        last, unit = parts[-1]
        return sum(float(n) * SECONDS[u] for n, u in parts), half(last) * SECONDS[unit]
    if kind == "bytes":
        number, unit = plain.split(" ")
        return float(number) * BYTES[unit], half(number) * BYTES[unit]
    if kind in ("percent", "points", "width", "share", "span"):
        number, unit = plain.split(" ")
        assert unit == ("%" if kind in ("percent", "share") else "pts")
        return float(number) / 100, half(number) / 100
    number, _, power = plain.partition(" × 10")
    factor = 10.0 ** int(power.translate(SUPERSCRIPT)) if power else 1.0
    return float(number) * factor, half(number) * factor


def half(number: str) -> float:
    return 0.5 * 10.0 ** -len(number.partition(".")[2])


SHOWN = "all => all.map(e => [e.dataset.key, e.dataset.as, e.textContent, e.title, e.dataset.side])"


def check_figures(page: Page, sources: dict[str, Any]) -> int:
    shown = page.eval_on_selector_all("[data-key]", SHOWN)
    for key, kind, text, title, side in shown:
        if kind == "sha256" or key == "result.json":
            continue
        value = resolve(sources, key)
        where = f"{key} as {kind} shows {text!r} for {value!r}"
        if text in ("not measured", "not recorded"):
            assert value is None, where
        elif kind == "digest":
            assert (text, title) == (value[:12], value), where
        elif kind in ("text", "code", "setting"):
            names = {None: "none", True: "yes", False: "no"}
            plain = names[value] if value is None or isinstance(value, bool) else value
            if kind == "setting" and isinstance(plain, list):
                plain = ", ".join(plain)
            assert text == (plain if isinstance(plain, str) else json.dumps(plain)), where
        else:
            assert value is not None, where
            number, tolerance = read(text, kind)
            if side:  # a lower bound is rounded down and an upper one up: never to the side that promises more
                outwards = number - value if side == "high" else value - number
                assert -1e-9 * abs(value) <= outwards < 0.0101 * abs(value) or number == value == 0, where
            else:
                assert abs(number - value) <= tolerance * 1.0001, where
            assert (number == 0) == (value == 0), where
    return len(shown)


# Words with digits that are no figures; axis labels, code and data are looked at elsewhere.
WORDS = re.compile(r"(?i)\bF1\b|\bSHA-?256\b")
UNKEYED = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (/\\d/.test(walker.currentNode.data)
        && !parent.closest("[data-key], script, style, code, .tick, #rows, #shown, #page"))
      found.push(walker.currentNode.data.trim());
  }
  return found;
}"""


def test_every_number_is_that_of_the_result(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    for result in (sample.result(rows), sample.failing()):
        page = opened(page_of(sample, rows, result))
        sources = {"result.json": result, "samples.jsonl.gz": rows, "timing.json": sample.timing()}
        assert check_figures(page, sources) > 500
        assert [text for text in page.evaluate(UNKEYED) if re.search(r"\d", WORDS.sub("", text))] == []


def test_rows_before_and_after_screening_stand_side_by_side(
    sample: ModuleType, rows: Rows, opened: Opened
) -> None:
    result = sample.result(rows)
    page = opened(page_of(sample, rows, result))
    prepared, used = result["preparation"], [file["rows"] for file in result["data"]]
    assert prepared["rows_out"] == sum(used) + result["screening"]["rows_blocked"]

    table = page.locator("#data table", has_text="Left by screening")
    titles = table.locator("thead th").all_inner_texts()
    for index, name in enumerate(("train", "validation", "test")):
        cells = dict(
            zip(titles, table.locator("tbody tr").nth(index).locator("th, td").all_inner_texts(), strict=True)
        )
        assert cells["Rows prepared"] == str(prepared["splits"][name]["rows"])
        assert cells["Left by screening"] == str(used[index])
    flow = page.inner_text("#data .margin p").replace("\u202f", "")
    assert re.findall(r"\d+", flow) == [
        str(number)
        for number in (
            prepared["rows_in"], sum(prepared["dropped"].values()), prepared["rows_out"],
            result["screening"]["rows_blocked"], sum(used),
        )
    ]  # fmt: skip
    facts = page.inner_text("#verdict .facts")
    assert [int(found) for found in re.findall(r"(\d+) rows after screening", facts)] == used


def test_what_is_missing_is_said_and_never_shown_as_zero(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    result = sample.result(rows)
    result["metrics"][0] |= {"value": None, "ci": None}
    result["training"]["tokens"] = {}
    for name in ("check", "screening", "checks", "verdict", "confusion", "safety"):
        del result[name]
    page = opened(page_of(sample, rows, result))
    check_figures(page, {"result.json": result, "samples.jsonl.gz": rows, "timing.json": sample.timing()})
    assert page.inner_text("h1") == "Not judged"
    assert "not screened" in page.inner_text("#screening")
    assert page.inner_text("#training .bars").count("not measured") == 2


def test_the_result_can_be_saved(sample: ModuleType, rows: Rows, opened: Opened, tmp_path: Path) -> None:
    page = opened(page_of(sample, rows))
    with page.expect_download() as download:
        page.click("a[download]")
    saved = Path(download.value.path()).read_bytes()
    write_json(tmp_path / "result.json", sample.result(rows))
    assert saved == (tmp_path / "result.json").read_bytes()
    assert page.inner_text("[data-as=sha256]") == hashlib.sha256(saved).hexdigest()


# Hostile text

ATTACKS = (
    "<script>document.title='broken'</script>",
    "</script><script>document.title='broken'</script>",
    "<!--<script>", "--><img src=x onerror=\"document.title='broken'\">",
    "\"><svg onload=\"document.title='broken'\">",
    "' onmouseover='document.title=1' x='",
    "javascript:alert(1)", "{{ 7*7 }}{% raw %}", "${7*7}`", "]]><![CDATA[", "&lt;b&gt;&#0;",
    "</style><style>*{display:none}</style>", "</title></textarea></noscript><base href=//x>",
    "\u202egnp.exe\u202c", "\u2066\u2069\u200b\ufeff", "\x00\x1b[31m\x07\x9b", "\ud800", "\U000e0041", "🇩🇪 👩‍🔬 ä",
)  # fmt: skip


def hostile(value: Any, text: str) -> Any:
    """Put a text in the place of every string of a structure."""
    if isinstance(value, dict):
        return {key: hostile(child, text) for key, child in value.items()}
    if isinstance(value, list):
        return [hostile(child, text) for child in value]
    return text if isinstance(value, str) else value


def test_text_cannot_break_out(sample: ModuleType, opened: Opened) -> None:
    rows = sample.samples(2 * len(ATTACKS))
    for index, attack in enumerate(ATTACKS):
        changed = hostile(rows[index], attack)
        changed["flags"] = ["harm:hate"] if index % 3 == 0 else []
        rows[index] = changed
    rows[-1]["base"]["answer"] = "Straße " * 150_000
    everything = " ".join(ATTACKS)
    result = hostile(sample.result(sample.samples(100)), everything)
    # Names of rules and labels are text of strangers too.
    result["preparation"]["dropped"] = {everything: 3, "*": 1, "#": 2}
    result["confusion"]["labels"] = [everything] * 11
    for metric in result["metrics"]:
        metric["id"] = "accuracy"
    ledger = [hostile(entry, everything) for entry in sample.ledger()]
    content = render(result, rows, ledger, hostile(sample.timing(), everything))
    assert len(content) < 2_000_000

    for options in ({}, {"java_script_enabled": False}):
        page = opened(content, **options)
        assert page.title().endswith("a tunegate report")
        assert page.locator("script").count() == 2
        assert page.locator("style, base, img, iframe").count() == 1
        assert page.locator("#rows .sample").count() > 0
    page = opened(content)
    page.fill("#by-text", "document.title='broken'</script>")
    assert page.locator("#rows .sample").count() == 2
    page.locator("details.veil").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert "<script>document.title='broken'</script>" in page.inner_text("#rows")
    assert page.title().endswith("a tunegate report")
    shown = page.inner_text("body")
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069\ufeff\x7f-\x9f]", shown)
    assert "⟨U+202E⟩gnp.exe⟨U+202C⟩" in shown


# Reading it


def test_it_can_be_read_without_a_script(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    page = opened(page_of(sample, rows), java_script_enabled=False)
    assert page.inner_text("h1") == "Pass"
    assert page.locator(".rules tbody tr").count() == 4
    assert page.locator(".sample").count() == 200
    failing = sum("newly-failing" in row["flags"] for row in rows)
    assert page.locator(".sample.newly-failing").count() == failing > 0
    assert page.locator("#controls").is_hidden()
    assert page.locator("#theme").is_hidden()
    plain = page.locator(".sample").all_inner_texts()[:25]

    scripted = opened(page_of(sample, rows))
    assert scripted.locator(".sample").all_inner_texts() == plain


def test_more_rows_break_than_the_plain_page_has(sample: ModuleType, opened: Opened) -> None:
    rows = sample.samples(260)
    for row in rows[:230]:
        row["base"]["correct"], row["cand"]["correct"] = True, False
    page = opened(page_of(sample, rows), java_script_enabled=False)
    assert page.locator(".sample").count() == page.locator(".sample.newly-failing").count() >= 230


def test_no_fault_of_accessibility(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page = opened(page_of(sample, rows[:5], sample.failing()), color_scheme="light")
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    page.evaluate(axe)
    # Colours depend on the theme alone and the rest on the width alone, and axe takes seconds for each.
    colours = {"runOnly": ["color-contrast"]}
    others = {"rules": {"color-contrast": {"enabled": False}}}
    for scheme, width, options in (("light", 1280, {}), ("light", 360, others), ("dark", 360, colours)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 720})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        report = "async options => (await axe.run(options)).violations.map(v => [v.id, v.nodes.map(n => n.html)])"
        assert page.evaluate(report, options) == []


def test_it_fits(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    page = opened(page_of(sample, rows))
    bottom = page.evaluate("document.querySelector('.below').getBoundingClientRect().bottom")
    assert bottom <= 720
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)") > 70
    for width in (360, 800, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    assert page.locator(".top").is_hidden()
    assert page.locator("h1").is_visible()


def test_no_axis_label_lies_on_a_line(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    page = opened(page_of(sample, rows))
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        ends = page.eval_on_selector_all(
            ".curves",
            """all => all.map(chart => [
              Math.max(...[...chart.querySelectorAll(".tick")].map(one => one.getBoundingClientRect().right)),
              Math.min(...[...chart.querySelectorAll(".grid")].map(one => one.getBoundingClientRect().left)),
              Math.min(...[...chart.querySelectorAll(".tick")].map(one => one.getBoundingClientRect().left)),
              chart.getBoundingClientRect().left,
            ])""",
        )
        assert len(ends) == 2
        assert all(label < plot and chart <= left for label, plot, left, chart in ends)


OVERLAPS = """all => all.some((one, index) => all.slice(index + 1).some(two => {
  const a = one.getBoundingClientRect(), b = two.getBoundingClientRect();
  return a.width && b.width && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}))"""


@pytest.mark.parametrize("count", [7, 812, 23_456])
def test_labels_of_the_histogram_never_overlap(sample: ModuleType, rows: Rows, opened: Opened, count: int) -> None:
    result = sample.result(rows)
    edges = [0, 8]
    while edges[-1] <= 20_000:
        edges.append(edges[-1] * 3 // 2 if edges[-1].bit_count() == 1 else edges[-1] * 4 // 3)
    bins = [[low, high, count - index % 2] for index, (low, high) in enumerate(pairwise(edges))]
    result["preparation"]["token_lengths"]["bins"] = bins
    page = opened(page_of(sample, rows[:3], result))
    for width in (360, 390, 720, 961, 1160, 1280):
        page.set_viewport_size({"width": width, "height": 720})
        assert page.locator(".histogram .tick").count() == 6
        assert not page.eval_on_selector_all(".histogram text", OVERLAPS), width
    assert page.locator(".histogram .value").count() == (0 if count > 10_000 else len(bins))


def test_blank_and_long_answers_stay_small(sample: ModuleType, opened: Opened) -> None:
    rows = sample.samples(25)
    for row in rows:
        row["base"]["answer"], row["cand"]["answer"] = "\n" * 14, "Well.\n\n\n\n\n\n" * 80
    content = page_of(sample, rows)
    for options in ({}, {"java_script_enabled": False}):
        page = opened(content, **options)
        boxes = page.locator(".answer .said")
        assert boxes.first.inner_text() == "(blank: ↵×14)"
        assert boxes.nth(1).inner_text().startswith("Well.\n↵×6\nWell.")
        heights = boxes.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
        assert max(heights[::2]) < 40
        assert max(heights) <= 12 * 16
        assert page.locator("#samples").bounding_box()["height"] < 25 * 300  # type: ignore[index]


def test_what_scrolls_shows_it_and_can_be_reached(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    content = page_of(sample, rows)
    page = opened(content, width=390, height=844)
    for link in page.locator(".top nav a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    looks = """all => all.filter(one => one.checkVisibility({contentVisibilityAuto: true})).map(one => [
      one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1,
      one.tabIndex, one.getAttribute("role"), one.getAttribute("aria-label"),
      getComputedStyle(one).backgroundImage.split("linear-gradient").length - 1])"""
    boxes = page.eval_on_selector_all(".scroll", looks)
    moving = [box for box in boxes if box[0]]
    assert {"Metrics", "Splits", "Labels"} <= {box[3] for box in moving}
    assert all(box[1:3] == [0, "group"] and box[4] == 4 for box in moving)
    assert all(box[1] == -1 and box[2] is None for box in boxes if not box[0])
    table = page.locator('.scroll[aria-label="Metrics"]')
    table.focus()
    page.keyboard.press("ArrowRight")
    moved = 0
    for _ in range(40):  # the movement takes some frames
        page.wait_for_timeout(50)
        moved = page.evaluate("document.activeElement.scrollLeft")
        if moved:
            break
    assert moved > 0
    still = opened(content, width=390, height=844, java_script_enabled=False)
    assert (
        still.locator(".scroll").count() == still.locator('.scroll[tabindex="0"][role=group][aria-label]').count()
    )


def test_keys_filters_and_theme(sample: ModuleType, rows: Rows, opened: Opened) -> None:
    page = opened(page_of(sample, rows), color_scheme="light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for name in ("Verdict", "Data", "Screening", "Training", "Quality", "Samples", "Evidence"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == name
    page.keyboard.press("Enter")
    assert page.url.endswith("#evidence")

    failing = sum("newly-failing" in row["flags"] for row in rows)
    page.click("text=Newly failing >> nth=0")
    assert page.inner_text("#shown") == f"{failing} of {len(rows)}"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("[...document.querySelectorAll('.sample')].indexOf(document.activeElement)") == 0
    page.select_option("#by-state", "")
    page.keyboard.press("Escape")
    page.locator("h2", has_text="Samples").click()
    page.keyboard.press("/")
    page.keyboard.type("rechnung zweimal")
    shown = page.locator(".sample").count()
    assert 0 < shown == sum("Rechnung zweimal" in row["prompt"][-1]["content"] for row in rows)
    page.fill("#by-text", "")
    page.click("#next")
    assert page.inner_text("#page") == "26 to 50"

    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != light
    page.reload()
    assert page.evaluate(paper) != light


@pytest.mark.slow
def test_ten_thousand_samples_are_small_and_quick(sample: ModuleType, opened: Opened) -> None:
    rows = sample.samples(10_000)
    content = page_of(sample, rows)
    assert len(content.encode()) <= 4_000_000
    start = time.monotonic()
    page = opened(content)
    assert time.monotonic() - start <= 2.0
    took = page.evaluate(
        """() => {
          const box = document.getElementById("by-text"), start = performance.now();
          box.value = "gebühr";
          box.dispatchEvent(new Event("input"));
          return performance.now() - start;
        }"""
    )
    assert took <= 50
    assert 0 < page.locator(".sample").count() <= 25
