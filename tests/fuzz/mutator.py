"""A fast, seeded mutator that knows what a report looks like: bytes, JSON values, keys, nesting, topics, properties.

Speed is the point (a million in seconds): every base is cut into its JSON tokens once, and a mutation is a slice of bytes
with something else in the middle. Numbers of the house's laws are moved by one as often as they are made absurd.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null')
_PAIR: Final = re.compile(
    rb'"(?:[^"\\]|\\.)*":(?:"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\{[^{}]*\}|\[[^\[\]]*\])'
)
_INTEGER: Final = re.compile(rb"-?\d+\Z")

VALUES: Final[tuple[bytes, ...]] = (
    *(b"null", b"true", b"false", b"{}", b"[]", b'""', b"0", b"-0", b"-1", b"1", b"1.0", b"0.1", b"-0.0"),
    *(b"1e3", b"1E400", b"-1e400", b"5e-324", b"1e-400", b"NaN", b"Infinity", b"-Infinity", b"nan"),
    *(b"9007199254740991", b"9007199254740992", b"4294967296", b"9223372036854775807", b"9223372036854775808"),
    *(b"18446744073709551616", b"1" + b"0" * 400, b"0x10", b"01", b"+1", b".5", b"1."),
    *(b'"agra"', b'"AGRA"', b'"..\\/..\\/etc"', b'"+"', b'"#"', b'"$SYS"', b'"a b"', b'"a\\nb"', b'"\\u0000"'),
    *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"', b'"\xff"', b'"\xc3"', b'"\xe0\xa4\xb9"', b'"\xf4\x90\x80\x80"'),
    *(b'"' + b"x" * 64 + b'"', b'"' + b"x" * 65 + b'"', b'"' + b"x" * 70_000 + b'"', b'"main.state"', b'"0123456789abcdef"'),
    *(b'"stream"', b'"tombstone"', b'"ping"', b'"novel"', b"[1,2]", b"[0,1,2,3]", b"[[[[]]]]", b'{"a":1}', b"2", b"9", b"150"),
)  # fmt: skip
PIECES: Final[tuple[bytes, ...]] = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b" "),
    *(b"[" * 40, b"[" * 2000, b'{"a":' * 900, b"[" * 30_000, b"]" * 40, b'"type":"stream",', b'"v":2,', b'"v":0,', b"null,"),
    *(b'{"type":"tombstone","first_seq":0,"last_seq":9007199254740991,"from_ns":0,"until_ns":1,"reason":"x"},', b"\xf0\x9f\x98\x80"),
)  # fmt: skip
TAIL: Final = 0.02
EPOCH: Final = b"0123456789abcdef"
A_SPOOL: Final = 10_000


@dataclass(frozen=True, slots=True)
class Base:
    """A sound message and its cuts."""

    topic: str
    payload: bytes
    tokens: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, topic: str, payload: bytes) -> Base:
        """Cut a payload into tokens, and into pairs of key and value."""
        return cls(
            topic,
            payload,
            tuple(m.span() for m in _TOKEN.finditer(payload)),
            tuple(m.span() for m in _PAIR.finditer(payload)),
        )


class Mutator:
    """Draws mutated messages for ever; the same from the same seed and bases."""

    def __init__(self, seed: int, bases: Sequence[Base], received_ns: int, topics: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._chance = self._random.random
        self._bases = tuple(bases)
        self._topics = tuple(topics)
        self._received_ns = received_ns
        self._seq = 0
        self._epoch = EPOCH
        self._ways: tuple[Callable[[Base], bytes], ...] = (
            *(self._value,) * 6,
            *(self._nudge,) * 4,
            *(self._flip,) * 2,
            *(self._twice, self._without, self._renamed, self._inserted, self._cut_off, self._spliced, self._sound),
        )  # fmt: skip

    def draw(self) -> Message:
        """One message."""
        chance = self._chance
        base = self._bases[int(chance() * len(self._bases))]
        payload = self._ways[int(chance() * len(self._ways))](base)
        if chance() < 0.25:  # and once more: two faults at a time
            payload = self._ways[int(chance() * len(self._ways))](Base(base.topic, payload, (), ()))
        topic = base.topic if chance() > TAIL else self._topics[int(chance() * len(self._topics))]
        received_ns, age_ms, retained = self._received_ns, None, False
        odd = chance()
        if odd < 0.03:
            received_ns += int((chance() - 0.5) * 4e17)  # ± 6 years: the hub's own clock
        elif odd < 0.06:
            received_ns += int((chance() - 0.5) * 4e11)
        elif odd < 0.08:
            retained = True
        if odd > 0.8:
            age_ms = int(10 ** (chance() * 15))
        return Message(topic, payload, received_ns, retained, age_ms)

    def _numbered(self, payload: bytes) -> bytes:
        """A seq of its own, where there is one: else all but the first would be duplicates."""
        self._seq += 1
        if (
            self._seq % A_SPOOL == 0
        ):  # numbers with three holes in four: a new spool now and then, as no probe keeps one for ever
            self._epoch = b"%016x" % self._seq
        payload = payload.replace(EPOCH, self._epoch, 1)
        return payload.replace(b'"seq":4711', b'"seq":%d' % self._seq, 1)

    def _sound(self, base: Base) -> bytes:
        return self._numbered(base.payload)

    def _value(self, base: Base) -> bytes:
        """One value is another."""
        payload = base.payload
        if not base.tokens:
            return self._flip(base)
        a, b = base.tokens[int(self._chance() * len(base.tokens))]
        return self._numbered(payload[:a] + VALUES[int(self._chance() * len(VALUES))] + payload[b:])

    def _nudge(self, base: Base) -> bytes:
        """One number is a little off, or another number of the same message."""
        payload = base.payload
        if not base.tokens:
            return self._flip(base)
        chance = self._chance
        a, b = base.tokens[int(chance() * len(base.tokens))]
        found = payload[a:b]
        if _INTEGER.match(found) and chance() < 0.7:
            other = b"%d" % (int(found) + (1, -1, 2, 15_000_000_000, -15_000_000_000)[int(chance() * 5)])
        else:
            c, d = base.tokens[int(chance() * len(base.tokens))]
            other = payload[c:d]
        return self._numbered(payload[:a] + other + payload[b:])

    def _flip(self, base: Base) -> bytes:
        """Some bytes are others."""
        flipped = bytearray(self._numbered(base.payload))
        for _ in range(1 + int(self._chance() * 4)):
            if flipped:
                flipped[int(self._chance() * len(flipped))] ^= 1 << int(self._chance() * 8)
        return bytes(flipped)

    def _twice(self, base: Base) -> bytes:
        """A key and its value stand twice, the second time with another value."""
        payload = base.payload
        if not base.pairs:
            return self._inserted(base)
        a, b = base.pairs[int(self._chance() * len(base.pairs))]
        pair = payload[a:b]
        key = pair[: pair.index(b":") + 1]
        other = key + VALUES[int(self._chance() * len(VALUES))]
        first, second = (pair, other) if self._chance() < 0.5 else (other, pair)
        return self._numbered(payload[:a] + first + b"," + second + payload[b:])

    def _without(self, base: Base) -> bytes:
        """A key and its value are missing."""
        payload = base.payload
        if not base.pairs:
            return self._cut_off(base)
        a, b = base.pairs[int(self._chance() * len(base.pairs))]
        if payload[b : b + 1] == b",":
            b += 1
        elif payload[a - 1 : a] == b",":
            a -= 1
        return self._numbered(payload[:a] + payload[b:])

    def _renamed(self, base: Base) -> bytes:
        """A key has another name, or one more stands beside it."""
        payload = base.payload
        if not base.pairs:
            return self._flip(base)
        a, _ = base.pairs[int(self._chance() * len(base.pairs))]
        if self._chance() < 0.5:
            return self._numbered(payload[: a + 1] + b"x" + payload[a + 1 :])
        more = b'"later":' + VALUES[int(self._chance() * len(VALUES))] + b","
        return self._numbered(payload[:a] + more + payload[a:])

    def _inserted(self, base: Base) -> bytes:
        """Something stands where it does not belong."""
        payload = self._numbered(base.payload)
        at = int(self._chance() * (len(payload) + 1))
        return payload[:at] + PIECES[int(self._chance() * len(PIECES))] + payload[at:]

    def _cut_off(self, base: Base) -> bytes:
        """The end is missing, or a piece of the middle."""
        payload = self._numbered(base.payload)
        a = int(self._chance() * (len(payload) + 1))
        b = len(payload) if self._chance() < 0.5 else a + int(self._chance() * (len(payload) - a + 1))
        return payload[:a] + payload[b:]

    def _spliced(self, base: Base) -> bytes:
        """The beginning of one, the end of another."""
        other = self._bases[int(self._chance() * len(self._bases))].payload
        at = int(self._chance() * len(base.payload))
        return self._numbered(base.payload[:at] + other[int(self._chance() * len(other)) :])
