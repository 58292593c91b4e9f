"""JSON Schemas of tools: whether one is sound, and how arguments break it.

Most schemas are plain (types, properties, required, enum) and most arguments fit them: for these a few lines of
Python stand for jsonschema, which is loaded only where they do not. Nothing is ever fetched: a reference to
another document is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.wording import listed, named, place, quoted

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_NOTES = frozenset({"description", "title"})

# Deeper ones are left alone: following them could exhaust the stack.
MAX_DEPTH = 40

# A pattern with two quantifiers without a bound can take time without end on a text that does not match.
_UNBOUNDED = lazy_pattern(r"[+*]|\{\d*,\}")
LONGEST_MATCHED = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """How arguments break a schema; `missing` where a name is not there that should be, or the other way round."""

    text: str
    missing: bool


def fault_of_schema(schema: Any) -> str | None:
    """Return what makes a schema no sound JSON Schema; None where it is sound."""
    if not isinstance(schema, dict):
        return f"is {named(schema)}: it must be an object"
    return None if _is_plain(schema) else _judged(_key(schema))


def faults_of_arguments(schema: Any, arguments: Mapping[str, Any]) -> list[Fault]:
    """Return how arguments break a schema that is sound; nothing for one that is not, or cannot be followed."""
    if not isinstance(schema, dict) or (_is_plain(schema) and _fits(schema, arguments)):
        return []
    if fault_of_schema(schema) is not None or _depth(arguments) > MAX_DEPTH:
        return []
    return list(_faults(_key(schema), arguments))


def _key(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # nested too deeply for it, or half of a surrogate pair
        return json.dumps(value).encode()


def _depth(value: Any, limit: int = MAX_DEPTH + 1) -> int:
    """Return how deeply a value is nested, counted up to a limit."""
    depth, level = 0, [value]
    while level and depth < limit:
        level = [
            item
            for found in level
            if isinstance(found, (dict, list))
            for item in (found.values() if isinstance(found, dict) else found)
        ]
        depth += 1
    return depth


def _is_plain(schema: Any, depth: int = 0) -> bool:
    """Whether a schema is of a few plain keywords, and certainly sound."""
    if type(schema) is not dict or depth > MAX_DEPTH:
        return False
    for key, value in schema.items():
        if key == "type":
            sound = isinstance(value, str) and value in _TYPES
        elif key in _NOTES:
            sound = isinstance(value, str)
        elif key == "properties":
            sound = isinstance(value, dict) and all(_is_plain(item, depth + 1) for item in value.values())
        elif key == "required":
            sound = _are_names(value)
        elif key == "enum":
            sound = isinstance(value, list) and bool(value) and all(type(item) is str for item in value)
            sound = sound and len(set(value)) == len(value)
        elif key == "items":
            sound = _is_plain(value, depth + 1)
        elif key == "additionalProperties":
            sound = isinstance(value, bool)
        else:
            sound = key == "default"
        if not sound:
            return False
    return True


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is str for item in value) and len(set(value)) == len(value)


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value certainly fits a plain schema."""
    if "type" in schema and not _has_type(value, schema["type"]):
        return False
    if "enum" in schema and not (type(value) is str and value in schema["enum"]):
        return False
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return (
            all(name in value for name in schema.get("required", ()))
            and all(_fits(properties[name], item) for name, item in value.items() if name in properties)
            and (schema.get("additionalProperties", True) or value.keys() <= properties.keys())
        )
    if isinstance(value, list) and "items" in schema:
        return all(_fits(schema["items"], item) for item in value)
    return True


def _has_type(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        return type(value) is int or (name == "number" and type(value) is float)
    wanted = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}[name]
    return type(value) is wanted


@lru_cache(maxsize=4096)
def _judged(key: bytes) -> str | None:
    """Return the first fault of a schema, given by its bytes."""
    from jsonschema.exceptions import best_match

    schema = json.loads(key)
    if _depth(schema) > MAX_DEPTH:
        return None
    draft = _draft_of(schema)
    error = best_match(draft(draft.META_SCHEMA).iter_errors(schema))
    if error is None:
        return None
    path = [*error.absolute_path]
    where = ".".join(map(str, path)) or "it"
    if path and path[-1] == "type" and isinstance(error.instance, str):
        return f"is no JSON Schema: {where} is {quoted(error.instance)}, known are {listed(sorted(_TYPES), 7)}"
    return f"is no JSON Schema: {where} is {named(error.instance)}, which is not allowed there"


@lru_cache(maxsize=1024)
def _validator(key: bytes) -> Any:
    """Return what judges values by a schema, given by its bytes; its references lead nowhere but into itself."""
    from jsonschema.validators import extend
    from referencing import Registry

    schema = json.loads(key)
    careful = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _unevaluated_properties,
    }
    made: Any = extend(_draft_of(schema), careful)  # type: ignore[no-untyped-call]
    return made(schema, registry=Registry())


def _draft_of(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    if isinstance(schema.get("$schema"), str):
        return validator_for(schema, default=Draft202012Validator)
    return Draft202012Validator


def _is_tame(pattern: Any) -> bool:
    """Whether a pattern is one that Python reads too, and that cannot run without end."""
    if not isinstance(pattern, str) or len(_UNBOUNDED.findall(pattern)) > 1:
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _pattern(_validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if (
        isinstance(instance, str)
        and len(instance) <= LONGEST_MATCHED
        and _is_tame(pattern)
        and not re.search(pattern, instance)
    ):
        yield ValidationError("another form")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    for pattern, inner in patterns.items() if isinstance(instance, dict) else ():
        for name, item in instance.items():
            if len(name) <= LONGEST_MATCHED and _is_tame(pattern) and re.search(pattern, name):
                yield from validator.descend(item, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not isinstance(instance, dict) or "patternProperties" in schema:
        return
    for name in instance:
        if name in schema.get("properties", {}):
            continue
        if wanted is False:
            yield ValidationError("not declared", path=(name,))
        elif isinstance(wanted, dict):
            yield from validator.descend(instance[name], wanted, path=name)


def _unevaluated_properties(_validator: Any, _wanted: Any, _instance: Any, _schema: Any) -> Iterator[Any]:
    """Judge nothing: the keyword is rare, and its patterns cannot be kept from running."""
    yield from ()


def _faults(key: bytes, arguments: Mapping[str, Any]) -> Iterator[Fault]:
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import UnknownDialect

    found = []
    try:
        for error in _validator(key).iter_errors(arguments):
            found += _in_words(error)
    except (Unresolvable, UnknownDialect, RecursionError, ValueError, OverflowError):
        return  # the schema leads out of itself, or around in a circle: nothing can be said
    yield from dict.fromkeys(found)


def _in_words(error: Any) -> list[Fault]:
    """Say what an error is about; values are not quoted, they may be anybody's data."""
    where = _path(error.absolute_path)
    wanted, keyword = error.validator_value, error.validator
    if keyword == "required":
        return [Fault(f"{_path([*error.absolute_path, name])} is missing", True) for name in _lacking(error)]
    if keyword == "additionalProperties":
        return [Fault(f"{where} is not declared", True)]
    if keyword == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return [Fault(f"{where} is {_kind(error.instance)}, declared as {' or '.join(map(str, types))}", False)]
    if keyword == "enum" and all(isinstance(item, str) for item in wanted):
        return [Fault(f"{where} is none of {listed(wanted)}", False)]
    return [Fault(f"{where} breaks '{keyword}'", False)]


def _lacking(error: Any) -> list[str]:
    """Return the names that are required and not there; older drafts have one for each error, all of them here."""
    return [name for name in error.validator_value if isinstance(name, str) and name not in error.instance]


def _path(steps: Iterable[Any]) -> str:
    path = place(tuple(steps))
    return repr(path) if path else "the whole"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool) or value is None:
        return named(value)
    return "a number" if isinstance(value, (int, float)) else named(value)
