"""Which of an end's reflectors is used: the first that answers, in the order of the plan.

When nothing at all comes back for a minute the next one is tried; when the round is through, or after an hour, the
first again. With one reflector there is nothing to choose, and an outage is simply measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telemetry.messages import Stream

DARK_WINDOWS: Final = 4
RETURN_NS: Final = HOUR_NS


class Preference:
    """The choice of one office, path by path."""

    def __init__(self) -> None:
        self._dark: dict[str, int] = {}
        self._choice: dict[str, int] = {}
        self._since_ns: dict[str, int] = {}

    def observe(self, streams: Sequence[Stream], reflectors: Mapping[str, int], now_ns: int) -> bool:
        """Take in one window (`reflectors`: how many each path has; monotonic time); True when the choice changed."""
        changed = False
        for stream in streams:
            count = reflectors.get(stream.path, 1)
            if stream.sent:
                self._dark[stream.path] = 0 if stream.received else self._dark.get(stream.path, 0) + 1
            if count > 1:
                changed |= self._move_on(stream.path, count, now_ns) or self._go_home(stream.path, now_ns)
        return changed

    def choice(self) -> dict[str, int]:
        """Path -> index of the reflector in use, for `Course.choice`."""
        return dict(self._choice)

    def reset(self) -> None:
        """A new plan: the first reflectors again."""
        self.__init__()  # type: ignore[misc]

    def _move_on(self, path: str, count: int, now_ns: int) -> bool:
        if self._dark.get(path, 0) < DARK_WINDOWS:
            return False
        self._use(path, (self._choice.get(path, 0) + 1) % count, now_ns)
        return True

    def _go_home(self, path: str, now_ns: int) -> bool:
        if not self._choice.get(path, 0) or now_ns - self._since_ns[path] < RETURN_NS:
            return False
        self._use(path, 0, now_ns)
        return True

    def _use(self, path: str, index: int, now_ns: int) -> None:
        self._choice[path] = index
        self._since_ns[path] = now_ns
        self._dark[path] = 0
