"""Records as they come from the measuring process, kept until the frames that they belong to are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from probes.measuring.records import REPLY, SENT, STAMPED
from probes.metering.exchanges import FrameRecords
from telemetry.arrays import np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


_U32: Final = 0xFFFF_FFFF
_HALF: Final = 1 << 31


class _Heap:
    """Arrays of one record type, joined when needed."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype = dtype
        self._parts: list[NDArray[np.void]] = []

    def add(self, body: bytes | memoryview) -> None:
        self._parts.append(np.frombuffer(body, dtype=self._dtype))

    def all(self) -> NDArray[np.void]:
        """Every record, in order of coming."""
        joined = np.concatenate(self._parts) if self._parts else np.zeros(0, dtype=self._dtype)
        self._parts = [joined]
        return joined

    def keep(self, records: NDArray[np.void]) -> None:
        self._parts = [records] if len(records) else []


class _BySession:
    """Records sorted by session, else in order of coming."""

    def __init__(self, records: NDArray[np.void]) -> None:
        self._records = records[np.argsort(records["session"], kind="stable")]
        self.numbers, self._first = np.unique(self._records["session"], return_index=True)
        self._slices = {
            number: slice(first, stop)
            for number, first, stop in zip(
                self.numbers.tolist(),
                self._first.tolist(),
                [*self._first.tolist()[1:], len(records)][: len(self.numbers)],
                strict=True,
            )
        }

    def of(self, number: int) -> NDArray[np.void]:
        """Records of one session."""
        return self._records[self._slices.get(number, slice(0, 0))]


class RecordPool:
    """Takes in batches; gives out, frame by frame, what is known of each session."""

    def __init__(self) -> None:
        self._sent, self._stamped, self._replies = _Heap(SENT), _Heap(STAMPED), _Heap(REPLY)

    def add_sent(self, body: bytes | memoryview) -> None:
        """Packets sent."""
        self._sent.add(body)

    def add_stamped(self, body: bytes | memoryview) -> None:
        """Kernel send stamps."""
        self._stamped.add(body)

    def add_replies(self, body: bytes | memoryview) -> None:
        """Replies received."""
        self._replies.add(body)

    def close(
        self, frame: int, ssids: Mapping[int, int], until_ns: int | None = None
    ) -> dict[int, FrameRecords]:
        """Take out a frame: records by session number, for the sessions in `ssids` that sent anything.

        Frames are closed in rising order. Replies to packets of later frames are lent, and stay.

        Args:
            frame: its number.
            ssids: SSID of each session number that is still of interest.
            until_ns: packets sent later (real time) are taken for not sent: their time to be answered was cut short.
        """
        sent = self._sent.all()
        sent = sent[sent["frame"] >= frame]
        own = sent["frame"] == frame
        if until_ns is not None:
            own &= sent["t1_ns"] <= until_ns
        mine, ahead = _BySession(sent[own]), _BySession(sent[~own])
        stamped, replies = _BySession(self._stamped.all()), _BySession(self._replies.all())
        self._sent.keep(sent[~own])
        self._keep_later(mine, ssids)
        return {
            number: FrameRecords(
                mine.of(number), ahead.of(number), stamped.of(number), replies.of(number), ssids[number]
            )
            for number in mine.numbers.tolist()
            if number in ssids
        }

    def _keep_later(self, mine: _BySession, ssids: Mapping[int, int]) -> None:
        """Keep stamps and replies of packets after the frame, and of sessions that sent nothing in it."""
        known = np.array(sorted(ssids), dtype=np.int64)
        last = np.zeros(len(known), dtype=np.int64)
        sending = np.isin(known, mine.numbers)
        for i in np.flatnonzero(sending).tolist():
            last[i] = int(mine.of(int(known[i]))["sequence"][-1]) & _U32
        for heap in (self._stamped, self._replies):
            records = heap.all()
            at = np.minimum(np.searchsorted(known, records["session"]), max(len(known) - 1, 0))
            if not len(known):
                heap.keep(records[:0])
                continue
            later = ((records["sequence"].astype(np.int64) - last[at] - 1) & _U32) < _HALF
            heap.keep(records[(known[at] == records["session"]) & (later | ~sending[at])])
