"""Rows with images: what documents show as valid, one finding for one fault, and what targets take."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataqa.test_images import jpeg, png, webp
from tunegate.core.location import json_path, locate
from tunegate.dataqa import rules_vision
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.row import Row
from tunegate.dataqa.targets import TARGETS

Ask = Callable[..., list[tuple[str, str]]]
Says = Callable[..., list[str]]

TEXT = {"type": "text", "text": "What is it?"}
ANSWER = {"role": "assistant", "content": "A cat"}
SERVICES = ["azure-openai", "openai"]


def image(url: Any = "https://example.com/cat.jpg", **fields: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def uri(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def shown(*parts: Any, answer: Any = "A cat") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [TEXT, *parts]}, {**ANSWER, "content": answer}]}


SOUND = {
    "an address": shown(image()),
    "an address with a query and no suffix": shown(image("https://example.com/blob?id=1&sv=2024")),
    "http in capitals": shown(image("HTTP://EXAMPLE.COM/CAT.JPG")),
    "low detail": shown(image(detail="low")),
    "high detail": shown(image(detail="high")),
    "auto detail": shown(image(detail="auto")),
    "a PNG": shown(image(uri(png(2)))),
    "a PNG with transparency": shown(image(uri(png(6)))),
    "a JPEG": shown(image(uri(jpeg(3), "image/jpeg"))),
    "a JPEG by its common wrong name": shown(image(uri(jpeg(3), "image/jpg"))),
    "a WEBP": shown(image(uri(webp(b"VP8 ", bytes(12)), "image/webp"))),
    "the type in capitals": shown(image(uri(png(2), "IMAGE/PNG"))),
    "ten images": shown(*[image()] * 10),
    "the image in a message of its own": {
        "messages": [
            {"role": "system", "content": "You name works of art."},
            {"role": "user", "content": "What is it?"},
            {"role": "user", "content": [image("https://example.com/art.jpg", detail="low")]},
            ANSWER,
        ]
    },
}


@pytest.mark.parametrize("target", SERVICES)
@pytest.mark.parametrize("name", SOUND)
def test_documented_rows_raise_no_finding(ask: Ask, name: str, target: str) -> None:
    assert ask(SOUND[name], target) == []


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image"},
        {"type": "image", "image": "cat.jpg"},
        {"type": "image", "url": "https://example.com/cat.gif"},
        {"type": "image", "text": None, "path": "/data/cat.bmp"},
        image("file:///data/cat.png"),
        image("cat.gif"),
        image(uri(png(0))),
        image(uri(b"GIF89a" + bytes(20), "image/gif")),
        image(detail=None),
        {"type": "image_url", "image_url": "https://example.com/cat.jpg"},
        {"type": "video", "video": "cat.mp4"},
        {"type": "audio", "audio": "cat.wav"},
    ],
    ids=str,
)
def test_templates_of_hf_take_other_parts(ask: Ask, part: Any) -> None:
    assert ask(shown(part)) == []


def test_an_answer_of_the_assistant_may_show_an_image_to_hf_only(ask: Ask) -> None:
    row = shown(image(), answer=[{"type": "text", "text": "A cat"}, image()])
    assert ask(row) == []
    assert ask(row, "openai") == [("VIS002", "error")]


@pytest.mark.parametrize("target", ["together", "mistral"])
def test_other_services(ask: Ask, target: str) -> None:
    assert ask(shown(image(uri(png(2)))), target) == []
    assert ask(shown(image(uri(png(0)))), target) == [], "their documents say nothing of colours"


def test_what_only_one_service_takes(ask: Ask) -> None:
    assert ask(shown(image()), "together") == [("VIS003", "error")]
    assert ask(shown(*[image(uri(png(2)))] * 11), "together") == [("VIS004", "error")]
    bare = shown({"type": "image_url", "image_url": "https://example.com/cat.jpg"})
    assert ask(bare, "mistral") == []
    assert ask(bare, "openai") == [("VIS001", "error")]


WHERE = "messages[0].content[1]"
SHAPE = 'write {"type": "image_url", "image_url": {"url": "..."}}'


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"type": "picture"}, f"{WHERE}.type is 'picture', which openai does not know: "
         "it knows 'file', 'image_url', 'input_audio', 'refusal', 'text'"),
        ({"type": "picture", "image_url": {"url": "https://example.com/a.png"}},
         f"{WHERE}.type is 'picture', which openai does not know: write 'image_url'"),
        ({"type": "image-url"}, f"{WHERE}.type is 'image-url', which openai does not know: write 'image_url'"),
        ({"type": "image"}, f"{WHERE}.type is 'image', which openai does not know: "
         "it knows 'file', 'image_url', 'input_audio', 'refusal', 'text'"),
        ({"type": "image_url"}, f"{WHERE} has no image_url: {SHAPE}"),
        ({"type": "image_url", "image_url": None}, f"{WHERE} has no image_url: {SHAPE}"),
        ({"type": "image_url", "image_url": []}, f"{WHERE} has an image_url that is a list: {SHAPE}"),
        ({"type": "image_url", "image_url": {}}, f"{WHERE} has no image_url.url: {SHAPE}"),
        ({"type": "image_url", "image_url": {"url": 1}}, f"{WHERE} has no image_url.url: {SHAPE}"),
        ({"type": "image_url", "image_url": {"url": " "}}, f"{WHERE} has no image_url.url: {SHAPE}"),
        ({"type": "image_url", "url": "https://example.com/a.png"}, f"{WHERE} has no image_url: {SHAPE}"),
    ],
)  # fmt: skip
def test_parts_that_are_not_known(says: Says, part: Any, said: str) -> None:
    assert says(shown(part), "openai") == [said]


URL = f"{WHERE}.image_url.url"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cat.jpg", "is neither an http address nor a data URI: write one of them"),
        ("file:///data/cat.png", "is neither an http address nor a data URI: write one of them"),
        ("s3://bucket/cat.png", "is neither an http address nor a data URI: write one of them"),
        ("https://", "is neither an http address nor a data URI: write one of them"),
        ("iVBORw0KGgo=", "is neither an http address nor a data URI: write one of them"),
        ("data:image/png;base64,iVBOR", "holds no sound base64 (it was cut off, or its padding with = is wrong): "
         "write data:image/png;base64, and the image"),
        (uri(png(2), "image/jpeg"), "says 'image/jpeg' and holds a PNG: write image/png"),
        (uri(jpeg(3), "image/webp"), "says 'image/webp' and holds a JPEG: write image/jpeg"),
        (uri(png(2), "image/\ud83dg"), "says 'image/\\ud83dg' and holds a PNG: write image/png"),
        (uri(png(2), ""), "says no type and holds a PNG: write image/png"),
        (uri(png(2), "application/pdf"), "says 'application/pdf' and holds a PNG: write image/png"),
        (uri(b"GIF89a" + bytes(20), "image/gif"), "holds a GIF: write 'JPEG', 'PNG', 'WEBP'"),
        (uri(b"<svg></svg>", "image/svg+xml"), "holds no image that is known: write 'JPEG', 'PNG', 'WEBP'"),
        (uri(png(2)[:-9]), "holds a PNG without its end: it was cut off, write the whole image"),
        (uri(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", "image/jpeg"),
         "begins like a JPEG and has no sound header: write the whole image"),
    ],
)  # fmt: skip
def test_images_that_cannot_be_used(says: Says, url: str, said: str) -> None:
    assert says(shown(image(url)), "azure-openai") == [f"{URL} {said}"]


@pytest.mark.parametrize(
    ("content", "media_type", "words"),
    [(png(0), "image/png", "a PNG in greyscale"), (png(3), "image/png", "a PNG in a palette"),
     (png(4), "image/png", "a PNG in greyscale with transparency"), (jpeg(1), "image/jpeg", "a JPEG in greyscale"),
     (jpeg(4), "image/jpeg", "a JPEG in CMYK")],
)  # fmt: skip
def test_colours(says: Says, content: bytes, media_type: str, words: str) -> None:
    said = says(shown(image(uri(content, media_type))), "openai")
    assert said == [f"{URL} is {words}, and openai takes 'RGB', 'RGBA': convert it"]


def of_size(size: int) -> str:
    content = png(2)
    return uri(content[:-12] + bytes(size - len(content)) + content[-12:])


def test_size(says: Says) -> None:
    assert says(shown(image(of_size(10 * 1024 * 1024))), "openai") == []
    said = says(shown(image(of_size(10 * 1024 * 1024 + 1))), "openai")
    assert said == [f"{URL} has 10.0 MB, and openai takes 10 MB an image: make it smaller"]
    assert says(shown(image(of_size(11 * 1024 * 1024))), "hf") == []


@pytest.mark.parametrize(
    ("count", "found"), [(10, []), (11, ["warning"]), (64, ["warning"]), (65, ["error"]), (200, ["error"])]
)
def test_the_documents_disagree_on_images_in_a_row(ask: Ask, count: int, found: list[str]) -> None:
    row = shown(*[image()] * count)
    for target in SERVICES:
        assert ask(row, target) == [("VIS004", severity) for severity in found]
    assert ask(row, "hf") == []
    spread = {"messages": [*shown(*[image()] * 5)["messages"], *shown(*[image()] * (count - 5))["messages"]]}
    assert ("VIS004" in [rule for rule, _ in ask(spread, "openai")]) == bool(found)


def test_both_numbers_are_said(says: Says) -> None:
    said = says(shown(*[image()] * 11), "azure-openai")
    assert said == [
        "the row has 11 images, and documents disagree whether azure-openai takes 64 or 10 at most: "
        "leave some out to be safe"
    ]


@pytest.mark.parametrize("detail", ["ultra", "HIGH", "", None, 1, True, [], {}])
def test_detail(ask: Ask, detail: Any) -> None:
    assert ask(shown(image(detail=detail)), "openai") == [("VIS006", "error")]
    assert ask(shown(image(detail=detail))) == ([] if detail is None else [("VIS006", "warning")])


@pytest.mark.parametrize("role", ["system", "developer", "tool", "assistant"])
def test_only_the_user_shows_images(ask: Ask, role: str) -> None:
    row = shown(image())
    row["messages"].insert(0, {"role": role, "content": [TEXT, image()], "tool_call_id": "call00001"})
    assert ("VIS002", "error") in ask(row, "openai")


def test_images_inside_preference_rows(tmp_path: Path) -> None:
    user, answer = shown(image(uri(png(0))))["messages"]
    row = {
        "input": {"messages": [user]},
        "preferred_output": [answer],
        "non_preferred_output": [{**answer, "content": [{"type": "text", "text": "A dog"}, image()]}],
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")

    result = check([DataFile(path)], CheckSettings("azure-openai", select=("VIS",)))

    assert [(found.rule, found.json_path) for found in result.findings] == [
        ("VIS005", "$.input.messages[0].content[1].image_url.url"),
        ("VIS002", "$.non_preferred_output[0].content[1]"),
    ]


def test_rows_with_images_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    target = TARGETS["azure-openai"]
    assert target.images is not None
    monkeypatch.setitem(TARGETS, target.name, replace(target, images=replace(target.images, rows=2)))
    plain = {"messages": [{"role": "user", "content": "What is an image_url?"}, ANSWER]}
    path = tmp_path / "a.jsonl"
    settings = CheckSettings("azure-openai", select=("VIS",))

    path.write_text("".join(json.dumps(row) + "\n" for row in [plain, shown(image())] * 2), encoding="utf-8")
    assert check([DataFile(path)], settings).findings == ()

    path.write_text("".join(json.dumps(row) + "\n" for row in [plain, shown(image())] * 3), encoding="utf-8")
    (found,) = check([DataFile(path)], settings).findings
    assert found.message == "3 rows have images, and azure-openai takes 2 in a file: split it, or take rows out"


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "image_url", "text", "low", uri(png(2)), "data:,"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "image_url", "url", "detail", "text", "content", "role", "image"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, inner in items for found in places(inner, (*path, step)))]


@settings(deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(sorted(TARGETS)), st.sampled_from(["sft", "dpo", "rft"]))
def test_whatever_stands_in_a_row_the_rules_say_something_or_nothing(data: Any, target: str, kind: Any) -> None:
    row = json.loads(json.dumps(shown(image(detail="low"), image(uri(png(6))))))
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(places(row)[1:]))
        inner = row
        for step in above:
            inner = inner[step]
        inner[last] = data.draw(anything)
    raw = json.dumps(row).encode()
    line = Row(raw, target=target, kind=kind)
    for rule in rules_vision.RULES:
        if rule.scope == "row":
            for hit in rule.check(line):
                assert hit.message
                assert json_path(hit.at)
                assert locate(raw, hit.at) is not None
