"""The TLVs of a request (RFC 8972), answered in place: the usual ones of our own probes at once, all others one by one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from probes.reflecting.reflector_batch import OCTETS
from probes.reflecting.tlv_answers import Seen, answer, class_of_service
from probes.stamp.packets import BASE
from probes.stamp.stamp_tlv import (
    CLASS_OF_SERVICE,
    EXTRA_PADDING,
    FACTS,
    FACTS_TLV,
    FACTS_VALUE,
    PADDING_AT,
    SERVICE_TLV,
    SERVICE_VALUE,
    UNRECOGNISED,
    Mode,
)
from telemetry.messages import StampSource

if TYPE_CHECKING:
    from probes.reflecting.reflector_batch import RequestBatch
    from probes.reflecting.reflector_counters import ReflectorCounters
    from probes.reflecting.reflector_sessions import ReflectorSession

_TLV_START: Final = struct.Struct("!BBH")


class Asked(NamedTuple):
    """What is known of the request that the TLVs stand in."""

    slot: int
    sequence: int
    number: int
    """Of the reply."""
    source: StampSource
    """Who took T2."""
    session: ReflectorSession | None
    key: bytes | None
    signed: bool = False


class TlvAnswers:
    """Of one bound address."""

    def __init__(
        self, batch: RequestBatch, port: int, marked: dict[int, int], counters: ReflectorCounters
    ) -> None:
        """`marked`: slots whose reply is to leave with a traffic class of the sender's choice."""
        self._batch = batch
        self._port = port
        self._marked = marked
        self._counters = counters
        self.synchronised = False
        """This machine's clock, as the TLVs tell it."""

    def answer_usual(
        self, slot: int, length: int, source: StampSource, session: ReflectorSession | None
    ) -> bool:
        """The TLVs of our own probes, facts, perhaps Class of Service, and then padding to the end: nearly all packets have just these."""
        data, at = self._batch.data, slot * OCTETS
        if length < PADDING_AT + _TLV_START.size:
            return False
        flags, kind, size = _TLV_START.unpack_from(data, at + BASE)
        padding_at = PADDING_AT
        flags2, kind2, padding = _TLV_START.unpack_from(data, at + padding_at)
        served = kind2 == CLASS_OF_SERVICE and padding == SERVICE_VALUE
        if served and length >= padding_at + SERVICE_TLV.size + _TLV_START.size:
            flags &= flags2
            padding_at += SERVICE_TLV.size
            flags2, kind2, padding = _TLV_START.unpack_from(data, at + padding_at)
        if (
            kind != FACTS
            or size != FACTS_VALUE
            or kind2 != EXTRA_PADDING
            or not flags & flags2 & UNRECOGNISED
        ):
            return False
        if padding_at + _TLV_START.size + padding != length:
            return False
        mode, instance = (Mode.STATELESS, 0) if session is None else (Mode.STATEFUL, session.instance)
        FACTS_TLV.pack_into(data, at + BASE, 0, FACTS, size, mode, source, StampSource.USER, 0, instance)
        data[at + padding_at] = flags2 & ~UNRECOGNISED
        if served:
            self._serve(slot, at + PADDING_AT)
        return True

    def _serve(self, slot: int, at: int) -> None:
        """Answer the Class of Service TLV that stands at `at`, and mark the reply as it asks."""
        data, tos = self._batch.data, self._batch.tos_of(slot)
        value = data[at + _TLV_START.size : at + SERVICE_TLV.size]
        if tos is None or not class_of_service(value, tos):
            return
        data[at] &= ~UNRECOGNISED & 0xFF
        if value[0] >> 2:
            self._marked[slot] = value[0] >> 2 << 2

    def answer(self, asked: Asked, begin: int, end: int) -> None:
        """Answer TLVs that stand from `begin` to `end` in the batch's memory."""
        tos, address = self._batch.as_received(asked.slot)
        session = asked.session
        said = answer(
            self._batch.data[begin:end],
            Seen(
                sequence=asked.sequence,
                number=asked.number,
                source=self._batch.source(asked.slot),
                destination=(address, self._port),
                tos=tos,
                synchronised=self.synchronised,
                t2_by=asked.source,
                t3_by=StampSource.USER,
                instance=0 if session is None else session.instance,
                count=None if session is None else session.answered,
                previous=None if session is None else session.previous,
                key=asked.key,
                signed=asked.signed,
            ),
        )
        if not said.intact:
            self._counters.tlvs_not_intact += 1
        if said.dscp:
            self._marked[asked.slot] = said.dscp << 2
