"""The last retained message of every topic, bounded."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from collector.broker.embedded.names import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.broker.embedded.limits import Limits
    from collector.broker.embedded.session import Message


class Keeping(Enum):
    """What became of a retained message."""

    KEPT = "kept"
    CLEARED = "cleared"
    FULL = "full"


class Retained:
    """Messages by topic; an empty payload clears (3.3.1.3)."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_topic: dict[str, Message] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_topic)

    def keep(self, message: Message) -> Keeping:
        """Keep a message in place of the former one of its topic."""
        topic = message.publish.topic
        former = self._by_topic.get(topic)
        freed = former.size if former else 0
        if not message.publish.payload:
            self._by_topic.pop(topic, None)
            self._bytes -= freed
            return Keeping.CLEARED
        is_over = self._bytes - freed + message.size > self._limits.retained_bytes
        if is_over or (former is None and len(self._by_topic) >= self._limits.retained):
            return Keeping.FULL
        self._by_topic[topic] = message
        self._bytes += message.size - freed
        return Keeping.KEPT

    def find(self, pattern: str, now_s: float) -> Iterator[Message]:
        """The messages of every topic that a filter matches."""
        if "+" not in pattern and "#" not in pattern:
            found = [self._by_topic[pattern]] if pattern in self._by_topic else []
        else:
            found = [message for topic, message in self._by_topic.items() if matches(pattern, topic)]
        for message in found:
            if message.at(now_s) is None:
                self._forget(message)
            else:
                yield message

    def _forget(self, message: Message) -> None:
        if self._by_topic.pop(message.publish.topic, None) is not None:
            self._bytes -= message.size
