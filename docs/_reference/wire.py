"""The page of topics and messages, from the types that the codec reads and writes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final, get_args, get_type_hints

from docs._reference.markdown import code, page, table
from docs._reference.structs import fields_of, words_below
from telemetry import control, messages
from telemetry.messages import WIRE_VERSION
from telemetry.topics import DEFAULT_ROOT, Leaf, topic

if TYPE_CHECKING:
    from msgspec import Struct

WRITTEN: Final[dict[Leaf, tuple[str, str, type[Struct]]]] = {
    Leaf.REPORT: ("probe", "one report, QoS 1", messages.Envelope),
    Leaf.BACKLOG: ("probe", "the same, older than a minute, at a bounded rate", messages.Envelope),
    Leaf.STORED: ("collector, retained", "what is committed", control.Stored),
    Leaf.PRESENCE: ("probe, or the broker by last will; retained", "on line or not", control.Presence),
    Leaf.PLAN: ("collector, retained", "what to measure, at which rates", control.Plan),
    Leaf.COMMAND: ("collector", "a request, signed", control.Command),
    Leaf.ANSWER: ("probe", "what came of it", control.Answer),
}
_INTRO: Final = f"""
MQTT 5. Every topic is `<root>/<site>/<probe>/<leaf>`; the root is a setting (`broker.root`, `{DEFAULT_ROOT}` by default). Payloads are JSON in UTF-8, of
wire version {WIRE_VERSION} (`v`). Unknown fields are ignored, an unknown item is kept as it came and decoded after an upgrade; what is absent is left out, never 0 or −1.
`up` is office to headquarters, `down` back. Units stand in the names; a *count* is a whole number from 0 to 2^53 − 1. The broker lets a probe write only below its own site and probe, and the collector checks again.
"""


def wire_page() -> str:
    """Topics, then each message with its fields."""
    topics = [
        [
            code(topic("<root>", "<site>", "<probe>", leaf)),
            who,
            what,
            f"[{kind.__name__}](#{kind.__name__.lower()})",
        ]
        for leaf, (who, what, kind) in WRITTEN.items()
    ]
    items = [
        [code(str(kind.__struct_config__.tag)), f"[{kind.__name__}](#{kind.__name__.lower()})", _first(kind)]
        for kind in get_args(messages.Item)
    ]
    return page(
        "Topics and reports",
        "telemetry/topics.py, telemetry/messages/ and telemetry/control.py",
        _INTRO,
        "## Topics",
        table(["topic", "who writes", "what", "message"], topics),
        "## What a report may carry",
        "`items` of an envelope; `type` says which.",
        table(["type", "item", "what"], items),
        "## Reports",
        *[_section(kind) for kind in structs(messages)],
        "## Other messages",
        *[_section(kind) for kind in structs(control)],
    )


def structs(module: object) -> list[type[Struct]]:
    """The message types that a module or package defines: in the order of the source, what one holds right after it."""
    from msgspec import Struct  # noqa: PLC0415 - beside its use; above it is for the type checker

    home = getattr(module, "__name__", "")
    found = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Struct)
        and f"{kind.__module__}.".startswith(f"{home}.")
    ]
    in_source = sorted(found, key=lambda kind: (kind.__module__, inspect.getsourcelines(kind)[1]))
    held = {kind: _held(kind, in_source) for kind in in_source}
    inner = {kind for kinds in held.values() for kind in kinds}
    order: dict[type[Struct], None] = {}

    def walk(kind: type[Struct]) -> None:
        if kind not in order:
            order[kind] = None
            for one in held[kind]:
                walk(one)

    for kind in in_source:
        if kind not in inner:
            walk(kind)
    return list(order)


def _held(kind: type[Struct], among: list[type[Struct]]) -> list[type[Struct]]:
    """The types that stand in a type's fields, in the fields' order."""

    def within(hint: object) -> list[object]:
        return [hint, *(inner for argument in get_args(hint) for inner in within(argument))]

    mentioned = [one for hint in get_type_hints(kind).values() for one in within(hint)]
    return [one for one in dict.fromkeys(mentioned) if one in among]


def _first(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _section(kind: type[Struct]) -> str:
    doc = inspect.cleandoc(kind.__doc__ or "")
    rows = [[code(one.name), one.kind, one.unit, one.default, one.says] for one in fields_of(kind)]
    assert set(words_below(kind)) <= {*kind.__struct_fields__, *dir(kind)}
    return f"### {kind.__name__}\n\n{doc}\n\n" + table(
        ["field", "takes", "unit", "when left out", "means"], rows
    )
