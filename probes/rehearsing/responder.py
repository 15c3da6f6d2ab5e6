"""The headquarters' end of the sessions: sends down what each office asks for, within its terms, and tells what came up.

It is silent unless the office keeps saying `go on`, every packet of it signed; so a forged address, a lost route and
an office that has stopped all come to the same.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from probes.rehearsing.bodies import (
    NONE_NS,
    Feedback,
    Figures,
    Granted,
    StepWish,
    feedback_body,
    figures_body,
    granted_body,
    read_step,
)
from probes.rehearsing.early import FEEDBACK_S
from probes.rehearsing.flow import Flow
from probes.rehearsing.shape import packets
from probes.rehearsing.wire import CONTROL, IP_UDP, Kind
from telemetry.windows import MS_NS, SECOND_NS

if TYPE_CHECKING:
    import socket

    from probes.rehearsing.door import Terms
    from probes.rehearsing.shape import Packets
    from probes.rehearsing.wire import Control

SILENCE_NS: Final = SECOND_NS
"""Without a word of the office for so long nothing more is sent down."""
GONE_NS: Final = 5 * SECOND_NS
MOST_STEP_S: Final = 60.0
MOST_FRAMES_PER_S: Final = 200.0
_FEEDBACK_NS: Final = round(FEEDBACK_S * SECOND_NS)


class Session:
    """One office's rehearsal, seen from the headquarters."""

    def __init__(self, sock: socket.socket, terms: Terms) -> None:
        self.terms = terms
        now_ns = time.monotonic_ns()
        self._flow = Flow(sock, terms.key, terms.ssid, self._hear)
        self._flow.token = terms.token
        self._heard_ns = now_ns
        self._until_ns = now_ns + terms.seconds * SECOND_NS
        self._told_ns = now_ns
        self._plan_up: Packets = packets(0.0, 1.0, 0.0)
        self._number = 0
        self._dropped = 0
        self._over = False
        self._grant()

    @property
    def octets_sent(self) -> int:
        """To the office so far."""
        return self._flow.octets_sent

    def tick(self) -> bool:
        """Do what is due; False when the session is over."""
        now_ns = time.monotonic_ns()
        if now_ns - self._heard_ns > SILENCE_NS or now_ns > self._until_ns:
            self._flow.hush()
        self._flow.tick()
        if self._flow.step and now_ns - self._told_ns >= _FEEDBACK_NS:
            self._told_ns = now_ns
            self._tell()
        gone = now_ns - self._heard_ns > GONE_NS or now_ns > self._until_ns + SECOND_NS
        return not (self._over or gone or self._has_had_too_much())

    def close(self) -> None:
        """Give the socket back."""
        self._flow.close()

    def _has_had_too_much(self) -> bool:
        """Never above what was granted, whatever the steps came to."""
        controls = self.terms.seconds * 40 * (CONTROL + IP_UDP)
        return self._flow.octets_sent > self.terms.down_bps / 8 * self.terms.seconds + controls

    def _grant(self) -> None:
        terms = self.terms
        self._flow.say(Kind.GRANT, granted_body(Granted(terms.up_bps, terms.down_bps, terms.seconds)))

    def _hear(self, packet: Control, _received_ns: int) -> None:
        if packet.kind is Kind.START:
            self._grant()  # the grant was lost
            return
        if packet.token != self.terms.token or packet.number < self._number:
            return  # not of this session, or sent again by somebody
        self._number = packet.number
        self._heard_ns = time.monotonic_ns()
        if packet.kind is Kind.STEP:
            self._step(packet)
        elif packet.kind is Kind.KEEP and packet.body[0]:
            self._flow.hush()
        elif packet.kind is Kind.ASK and packet.step == self._flow.step:
            self._answer(int.from_bytes(packet.body[:4]))
        elif packet.kind is Kind.BYE:
            self._over = True

    def _step(self, packet: Control) -> None:
        if packet.step != self._flow.step:
            wish = read_step(packet.body)
            self._plan_up = self._planned(min(wish.up_bps, self.terms.up_bps), wish.frames_up, wish)
            down = self._planned(min(wish.down_bps, self.terms.down_bps), wish.frames_down, wish)
            self._dropped = self._flow.dropped
            self._flow.expect(packet.step)
            self._flow.load(down)
        self._flow.say(Kind.STEPPED, number=packet.number)

    def _planned(self, bps: int, tenths: int, wish: StepWish) -> Packets:
        """A load as asked for, within what any load may be: whoever holds a key may still be broken."""
        seconds = min(wish.milliseconds / 1000, MOST_STEP_S, self.terms.seconds)
        return packets(float(bps), min(max(tenths / 10, 1.0), MOST_FRAMES_PER_S), seconds)

    def _tell(self) -> None:
        arrivals, flow = self._flow.arrivals, self._flow
        least = arrivals.take_least_ns()
        delay = NONE_NS if least is None else least
        said = Feedback(arrivals.received, arrivals.expected, delay, min(flow.late_ns // MS_NS, 2**32 - 1))
        flow.say(Kind.FEEDBACK, feedback_body(said))

    def _answer(self, sent_up: int) -> None:
        flow = self._flow
        flow.hush()
        came = flow.arrivals.came(self._plan_up, min(sent_up, len(self._plan_up)))
        said = Figures(
            came.received,
            came.octets,
            came.span_us,
            min(came.jitter_us, 2**32 - 1),
            came.worst_lost,
            came.worst_sent,
            NONE_NS if came.p95_delay_ns is None else came.p95_delay_ns,
            NONE_NS if came.least_delay_ns is None else came.least_delay_ns,
            flow.sent,
            int(flow.dropped > self._dropped),
        )
        flow.say(Kind.FIGURES, figures_body(said))
