"""Commands from the hub, and their answers.

An enrolled probe obeys only what its hub has signed for it, now and once: not a broker that was taken over, not a
message that was kept from another day. What is not signed is not even answered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from telemetry.codec import MessageError, decode_control
from telemetry.control import Answer, Command
from telemetry.signing import is_signed_command
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.publishing.connection import Incoming
    from telemetry.clock import WallClock

Verbs: TypeAlias = Mapping[str, Callable[[Mapping[str, str]], Answer]]
SKEW_NS: Final = 60 * SECOND_NS
"""The hub's clock and ours may differ by so much."""
LONGEST_NS: Final = 3600 * SECOND_NS
REMEMBERED: Final = 10_000


class RefusedCommandError(Exception):
    """A command that is not even answered; the text says why."""


class Guard:
    """Remembers what was obeyed since the start, and what came before it counts as old."""

    def __init__(self, site: str, probe: str, clock: WallClock) -> None:
        self._site = site
        self._probe = probe
        self._clock = clock
        self._began_mono_ns = clock.monotonic_ns()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def objection(self, command: Command, keys: Sequence[bytes]) -> str:
        """Why a command is not obeyed although the hub has signed it; empty when it is.

        Raises:
            RefusedCommandError: it is not signed with any of the keys.
        """
        if not command.signature:
            raise RefusedCommandError(f"{command.verb} is not signed")
        if not any(is_signed_command(key, self._site, self._probe, command) for key in keys):
            raise RefusedCommandError(f"{command.verb} is signed by somebody else, or for another probe")
        objection = self._about_time(command)
        if not objection and command.id in self._seen:
            objection = "it was obeyed before"
        if not objection:
            self._seen[command.id] = None
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return objection

    def _about_time(self, command: Command) -> str:
        now_ns = self._clock.now_ns()
        age_s = (now_ns - command.issued_ns) / SECOND_NS
        if command.expires_ns + SKEW_NS < now_ns or command.expires_ns - command.issued_ns > LONGEST_NS:
            return f"it has expired: it is {age_s:.0f} s old by the clock of this machine"
        if command.issued_ns - SKEW_NS > now_ns:
            return f"it is from the future: {-age_s:.0f} s by the clock of this machine"
        running_ns = self._clock.monotonic_ns() - self._began_mono_ns
        if command.issued_ns + SKEW_NS < now_ns - running_ns:
            return "it is from before this agent's start"
        return ""


def read_command(message: Incoming, answer_topic: str) -> Command:
    """The command in a message.

    Raises:
        RefusedCommandError: it is left over from another time (retained), cannot be read, or asks for its answer
            elsewhere than on our own answer topic, where alone we may write.
    """
    if message.retained:
        raise RefusedCommandError("a retained command: commands are for now, publish them without retain")
    if message.response_topic != answer_topic:
        raise RefusedCommandError(f"the response topic must be {answer_topic}")
    try:
        return decode_control(message.payload, Command)
    except MessageError as error:
        raise RefusedCommandError(str(error)) from error


def respond(command: Command, verbs: Verbs) -> Answer:
    """The answer to a command."""
    verb = verbs.get(command.verb)
    if verb is None:
        return Answer(ok=False, detail=f"no such command: {command.verb}; known: {', '.join(sorted(verbs))}")
    return verb(command.arguments)
