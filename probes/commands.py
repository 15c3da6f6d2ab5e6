"""Commands from the hub, and their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from telemetry.codec import MessageError, decode_control
from telemetry.control import Answer, Command

if TYPE_CHECKING:
    from probes.connection import Incoming

Verbs: TypeAlias = Mapping[str, Callable[[Mapping[str, str]], Answer]]


class RefusedCommandError(Exception):
    """A command that is not even answered; the text says why."""


def respond(message: Incoming, answer_topic: str, verbs: Verbs) -> Answer:
    """The answer to a command.

    Raises:
        RefusedCommandError: it is left over from another time (retained), cannot be read, or asks for its answer
            elsewhere than on our own answer topic, where alone we may write.
    """
    if message.retained:
        raise RefusedCommandError("a retained command: commands are for now, publish them without retain")
    if message.response_topic != answer_topic:
        raise RefusedCommandError(f"the response topic must be {answer_topic}")
    try:
        command = decode_control(message.payload, Command)
    except MessageError as error:
        raise RefusedCommandError(str(error)) from error
    verb = verbs.get(command.verb)
    if verb is None:
        return Answer(ok=False, detail=f"no such command: {command.verb}; known: {', '.join(sorted(verbs))}")
    return verb(command.arguments)
