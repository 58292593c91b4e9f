# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about parts of content, and images among them.

What a target takes of images stands in its table (`targets.py`). Target `hf` names no limit: processors read what
their imaging library reads, from addresses and files too, and convert colours themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.images import MODE_NAMES, DataUri, data_uri
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import FileFacts, rule
from tunegate.dataqa.targets import ALL_PARTS, MEGABYTE, Images, target_named
from tunegate.dataqa.turns import IMAGE_TYPES, role_of
from tunegate.dataqa.wording import listed, named, near, place, quoted

# A line without this has no parts; a key may be written with escapes.
_PART_NEEDS = (b'"type"', b"\\u00")
_IMAGE_NEEDS = (b"image", b"\\u00")

DETAILS = ("low", "high", "auto")

_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNgYGAAAAAEAAHI6uv5AAAAAElFTkSuQmCC"
_GREY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
_ADDRESS = "https://example.com/a.png"


def _part(url: str) -> str:
    return '{"type": "image_url", "image_url": {"url": "' + url + '"}}'


def _row(parts: str, answer: str = '"A cat"') -> str:
    text = '{"type": "text", "text": "What is it?"}'
    return (
        '{"messages": [{"role": "user", "content": [' + text + ", " + parts + "]}, "
        '{"role": "assistant", "content": ' + answer + "}]}"
    )


def _parts(row: Row) -> Iterator[tuple[Path, dict[str, Any], str | None]]:
    """Give each part of the contents that is an object: where it stands, and whose message it is in."""
    for index, message in row.messages:
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else []):
            if isinstance(part, dict):
                yield ("messages", index, "content", number), part, role_of(message)


def _image_parts(row: Row) -> Iterator[tuple[Path, dict[str, Any], str | None]]:
    """Give the parts that show an image; none for a target that takes none, for which VIS001 says enough."""
    if target_named(row.target).images is None:
        return
    for at, part, role in _parts(row):
        if part.get("type") in IMAGE_TYPES:
            yield at, part, role


def _address(at: Path, part: dict[str, Any]) -> tuple[Path, str] | None:
    """Return where the address of an image stands, and the address; Mistral's is a bare text."""
    found = part.get("image_url")
    if isinstance(found, str):
        return (*at, "image_url"), found
    url = found.get("url") if isinstance(found, dict) else None
    return ((*at, "image_url", "url"), url) if isinstance(url, str) else None


def _limits(row: Row) -> Images:
    return target_named(row.target).images or Images()


@lru_cache(maxsize=1)  # several rules ask about the same row in turn
def _embedded(row: Row) -> list[tuple[Path, DataUri]]:
    found = (_address(at, part) for at, part, _ in _image_parts(row))
    return [(address[0], data_uri(address[1])) for address in found if address and _is_data(address[1])]


def _is_data(address: str) -> bool:
    return address[:5].lower() == "data:"


@rule(
    "VIS001",
    Severity.ERROR,
    needs=_PART_NEEDS,
    bad=_row(_part(_ADDRESS).replace('"type": "image_url"', '"type": "picture"')),
    good=_row(_part(_ADDRESS)),
    says="messages[0].content[1].type is 'picture', which hf does not know: write 'image_url'",
)
def unknown_part(row: Row) -> Iterator[Hit]:
    """A part of the content is of a type that the target does not know, or lacks its field.

    A part is an object with a `type` and a field of that name, such as
    `{"type": "image_url", "image_url": {"url": "..."}}`. Target `hf` knows the parts of chat templates too, such
    as `{"type": "image"}`, whose image may stand in a column of its own. CHAT009 speaks of parts without a type
    and of text without its text.
    """
    known = target_named(row.target).parts or ALL_PARTS
    for at, part, _ in _parts(row):
        kind = part.get("type")
        if not isinstance(kind, str):
            continue
        if kind not in known:
            here = (*at, "type")
            yield Hit(
                f"{place(here)} is {quoted(kind)}, which {row.target} does not know: {_meant(part, known)}", here
            )
        elif kind == "image_url" and (reason := _fault_of_image(part, row)):
            yield Hit(f"{place(at)} {reason}", at)


def _meant(part: dict[str, Any], known: frozenset[str]) -> str:
    field = next((key for key in part if key in known), None)
    meant = field or near(str(part["type"]), sorted(known))
    return f"write {quoted(meant)}" if meant else f"it knows {listed(sorted(known), limit=8)}"


def _fault_of_image(part: dict[str, Any], row: Row) -> str | None:
    shape = 'write {"type": "image_url", "image_url": {"url": "..."}}'
    found = part.get("image_url")
    if found is None:
        return f"has no image_url: {shape}"
    if isinstance(found, str):
        return None if _limits(row).bare else f"has an image_url that is a text: {shape}"
    if not isinstance(found, dict):
        return f"has an image_url that is {named(found)}: {shape}"
    return None if isinstance(found.get("url"), str) and found["url"].strip() else f"has no image_url.url: {shape}"


@rule(
    "VIS002",
    Severity.ERROR,
    severities={"hf": None},
    needs=_IMAGE_NEEDS,
    example_target="azure-openai",
    bad=_row(_part(_ADDRESS), '[{"type": "text", "text": "A cat"}, ' + _part(_ADDRESS) + "]"),
    good=_row(_part(_ADDRESS), '[{"type": "text", "text": "A cat"}]'),
    says="messages[1].content[1] is an image of the assistant's: only the user shows images, take it out",
)
def image_of_other(row: Row) -> Iterator[Hit]:
    """An image stands in a message that is not the user's.

    Services tune models that read images and write text. Templates of target `hf` take images from tools too.
    """
    for at, _, role in _image_parts(row):
        if role not in (None, "user"):
            yield Hit(f"{place(at)} is an image of the {role}'s: only the user shows images, take it out", at)


@rule(
    "VIS003",
    Severity.ERROR,
    needs=_IMAGE_NEEDS,
    example_target="azure-openai",
    bad=_row(_part("data:image/jpeg;base64," + _PNG)),
    good=_row(_part("data:image/png;base64," + _PNG)),
    says="messages[0].content[1].image_url.url says 'image/jpeg' and holds a PNG: write image/png",
)
def unusable_image(row: Row) -> Iterator[Hit]:
    """The address of an image leads to none that can be used.

    It is an http or https address, or a data URI with a JPEG, PNG or WEBP in base64, which must decode and be what
    it says. Target `together` takes data URIs only. For target `hf` only a data URI that does not decode, or an
    image without its end, is a fault.
    """
    limits = _limits(row)
    embedded = dict(_embedded(row))
    for at, part, _ in _image_parts(row):
        address = _address(at, part)
        if address is None or not address[1].strip():
            continue
        here, url = address
        found = embedded.get(here)
        reason = _fault_of_address(url, limits) if found is None else _fault_of_data(found, limits)
        if reason is not None:
            yield Hit(f"{place(here)} {reason}", here)


def _fault_of_address(url: str, limits: Images) -> str | None:
    if not limits.formats:
        return None
    scheme, mark, rest = url.strip().partition("://")
    if not mark or scheme.lower() not in ("http", "https") or not rest.strip("/"):
        return "is neither an http address nor a data URI: write one of them"
    return None if limits.urls else "is an address: write the image itself, as a data URI in base64"


def _fault_of_data(uri: DataUri, limits: Images) -> str | None:
    if uri.fault is not None:
        return f"{uri.fault}: write data:image/png;base64, and the image"
    image = uri.image
    assert image is not None
    if not image.whole:
        return f"holds a {image.format} without its end: it was cut off, write the whole image"
    if not limits.formats:
        return None
    formats = listed(limits.formats)
    if image.format not in limits.formats:
        holds = f"a {image.format}" if image.format else "no image that is known"
        return f"holds {holds}: write {formats}"
    if image.mode is None:
        return f"begins like a {image.format} and has no sound header: write the whole image"
    if uri.format != image.format:
        says = quoted(uri.media_type) if uri.media_type else "no type"
        return f"says {says} and holds a {image.format}: write image/{image.format.lower()}"
    return None


_MANY = ", ".join([_part(_ADDRESS)] * 65)


@rule(
    "VIS004",
    Severity.ERROR,
    severities={"hf": None},
    needs=_IMAGE_NEEDS,
    example_target="azure-openai",
    bad=_row(_MANY),
    good=_row(", ".join([_part(_ADDRESS)] * 10)),
    says="the row has 65 images, and azure-openai takes 64 at most: leave some out",
)
def too_many_images(row: Row) -> Iterator[Hit]:
    """The row has more images than the target takes.

    The documents disagree: Azure's page on vision fine-tuning names 64 images an example in its table of
    requirements and 10 in its table of what goes wrong, and OpenAI's guide on vision fine-tuning says 10. So more
    than 64 are an error, and more than 10 a warning. Target `together` takes 10.
    """
    limits = _limits(row)
    places = [at for at, _, _ in _image_parts(row)]
    count = len(places)
    if limits.per_row is not None and count > limits.per_row:
        message = f"the row has {count} images, and {row.target} takes {limits.per_row} at most: leave some out"
        yield Hit(message, places[limits.per_row])
    elif limits.doubted_per_row is not None and count > limits.doubted_per_row:
        message = (
            f"the row has {count} images, and documents disagree whether {row.target} takes {limits.per_row} or "
            f"{limits.doubted_per_row} at most: leave some out to be safe"
        )
        yield Hit(message, places[limits.doubted_per_row], severity=Severity.WARNING)


@rule(
    "VIS005",
    Severity.ERROR,
    severities={"hf": None},
    needs=_IMAGE_NEEDS,
    example_target="azure-openai",
    bad=_row(_part("data:image/png;base64," + _GREY)),
    good=_row(_part("data:image/png;base64," + _PNG)),
    says="messages[0].content[1].image_url.url is a PNG in greyscale, and azure-openai takes 'RGB', 'RGBA': "
    "convert it",
)
def unfit_image(row: Row) -> Iterator[Hit]:
    """An image inside the row is larger than the target takes, or in other colours.

    Azure OpenAI and OpenAI take 10 MB an image, in RGB or RGBA. A CMYK photograph from a print shop, an image in
    greyscale and one with a palette are refused.
    """
    limits = _limits(row)
    for at, uri in _embedded(row):
        image = uri.image
        if image is None or not image.whole or image.format not in limits.formats:
            continue  # VIS003
        if limits.max_bytes and image.size > limits.max_bytes:
            size, most = image.size / MEGABYTE, limits.max_bytes // MEGABYTE
            yield Hit(
                f"{place(at)} has {size:.1f} MB, and {row.target} takes {most} MB an image: make it smaller", at
            )
        elif limits.modes and image.mode is not None and image.mode not in limits.modes:
            what = f"a {image.format} in {MODE_NAMES[image.mode]}"
            yield Hit(f"{place(at)} is {what}, and {row.target} takes {listed(limits.modes)}: convert it", at)


@rule(
    "VIS006",
    Severity.ERROR,
    severities={"hf": Severity.WARNING},
    needs=(b"detail", b"\\u00"),
    example_target="azure-openai",
    bad=_row(_part(_ADDRESS).replace('"}}', '", "detail": "ultra"}}')),
    good=_row(_part(_ADDRESS).replace('"}}', '", "detail": "low"}}')),
    says="messages[0].content[1].image_url.detail is 'ultra': it must be 'low', 'high' or 'auto'",
)
def unknown_detail(row: Row) -> Iterator[Hit]:
    """The `detail` of an image is not low, high or auto.

    It says how closely the model looks, and decides how many tokens the image costs.
    """
    for at, part, _ in _image_parts(row):
        found = part.get("image_url")
        if not isinstance(found, dict) or "detail" not in found or found["detail"] in DETAILS:
            continue
        if found["detail"] is None and target_named(row.target).templates:
            continue  # tables are filled up with null
        here = (*at, "image_url", "detail")
        yield Hit(f"{place(here)} is {named(found['detail'])}: it must be 'low', 'high' or 'auto'", here)


@rule(
    "VIS007",
    Severity.ERROR,
    scope="file",
    example_target="azure-openai",
    bad=_row(_part(_ADDRESS)) + "\n",
    good=_row(_part(_ADDRESS)) + "\n",
    example_facts=({"image_rows": 50_001}, {"image_rows": 50_000}),
    says="50,001 rows have images, and azure-openai takes 50,000 in a file: split it, or take rows out",
)
def too_many_image_rows(file: FileFacts) -> Iterator[Hit]:
    """More rows of the file have images than the target takes."""
    images = target_named(file.target).images
    most = images.rows if images else None
    if most is not None and file.image_rows > most:
        yield Hit(
            f"{file.image_rows:,} rows have images, and {file.target} takes {most:,} in a file: "
            "split it, or take rows out"
        )


RULES = (
    unknown_part,
    image_of_other,
    unusable_image,
    too_many_images,
    unfit_image,
    unknown_detail,
    too_many_image_rows,
)
