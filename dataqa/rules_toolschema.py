# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules that hold calls against the definitions of their tools."""

from __future__ import annotations

from collections.abc import Iterator

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.schemas import fault_of_schema, faults_of_arguments
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.toolcalls import NEEDS, Function, arguments_of, calls_of, functions_of
from tunegate.dataqa.wording import listed, near, place, quoted

# More than these are one mistake, made several times.
_MOST_NAMED = 3

_ROW = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, "tool_calls": ['
    '{"id": "call00001", "type": "function", "function": {"name": "get_weather", '
    '"arguments": "{\\"city\\": \\"Paris\\", \\"unit\\": \\"C\\"}"}}]}], '
    '"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", '
    '"properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}}, "required": ["city"]}}}]}'
)


def _declared(row: Row) -> dict[str, Function]:
    return {function.name: function for function in functions_of(row) if function.name is not None}


@rule(
    "TOOL005",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('\\"city\\": \\"Paris\\", \\"unit\\": \\"C\\"', '\\"unit\\": \\"K\\"'),
    good=_ROW,
    says="messages[1].tool_calls[0].function.arguments break the schema of 'get_weather': "
    "'unit' is none of 'C', 'F'; 'city' is missing",
)
def arguments_break_schema(row: Row) -> Iterator[Hit]:
    """The arguments of a call break the JSON Schema that the tool declares.

    The model learns calls that the tool will refuse. No trainer of target `hf` reads the schema: there it is an
    error when an argument is missing or not declared, and a warning when one is of another kind than declared.
    Not judged are references to other documents, `format`, and patterns that could run without end.
    """
    declared = _declared(row)
    if not declared:
        return
    for call in calls_of(row):
        function = declared.get(call.name or "")
        arguments = arguments_of(call)
        if function is None or arguments is None:
            continue
        faults = faults_of_arguments(function.fields.get("parameters"), arguments)
        if faults:
            more = f" and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
            reasons = "; ".join(fault.text for fault in faults[:_MOST_NAMED]) + more
            mild = target_named(row.target).templates and not any(fault.missing for fault in faults)
            at: Path = (*call.function_at, "arguments")
            yield Hit(
                f"{place(at)} break the schema of {quoted(function.name or '')}: {reasons}",
                at,
                severity=Severity.WARNING if mild else None,
            )


@rule(
    "TOOL006",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('"name": "get_weather", "arguments"', '"name": "get_wether", "arguments"'),
    good=_ROW,
    says="messages[1].tool_calls[0] calls 'get_wether', which is not declared: did you mean 'get_weather'?",
)
def undeclared_tool(row: Row) -> Iterator[Hit]:
    """A call names a tool that the row does not declare.

    A row without any tools is let be: definitions may be left out to spare tokens, or stand in the system message.
    """
    declared = _declared(row)
    if not declared or any(function.name is None for function in functions_of(row)):
        return
    for call in calls_of(row):
        if call.name and call.name not in declared:
            at: Path = (*call.function_at, "name")
            meant = near(call.name, declared)
            hint = f"did you mean {quoted(meant)}?" if meant else f"declared are {listed(declared)}"
            yield Hit(f"{place(call.at)} calls {quoted(call.name)}, which is not declared: {hint}", at)


@rule(
    "TOOL016",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('"parameters": {"type": "object"', '"parameters": {"type": "objekt"'),
    good=_ROW,
    says="tools[0].function.parameters is no JSON Schema: type is 'objekt', "
    "known are 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'",
)
def unsound_schema(row: Row) -> Iterator[Hit]:
    """The parameters of a tool are no sound JSON Schema.

    It is read as draft 2020-12 unless it names another in `$schema`. Parameters may be left out where there are
    none.
    """
    for function in functions_of(row):
        if "parameters" not in function.fields:
            continue
        found = function.fields["parameters"]
        reason = None if found is None and target_named(row.target).templates else fault_of_schema(found)
        if reason is not None:
            at: Path = function.at if function.at == ("tools",) else (*function.at, "parameters")
            yield Hit(f"{place(at)} {reason}", at)


RULES = (arguments_break_schema, undeclared_tool, unsound_schema)
