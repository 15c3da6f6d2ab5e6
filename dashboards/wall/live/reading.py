"""Reading the store and the state database for the picture; blocking, so it runs in a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.wall.live.recent import DRAWN, SPAN_NS, Recent
from dashboards.wall.picture.compose import Decided
from dashboards.wall.picture.gatherings import today_and_tomorrow
from dashboards.wall.picture.track import DAYS, track
from telemetry.state.held_back import held_back
from telemetry.state.store_away import store_away_since
from telemetry.store.protocol import Selection
from telemetry.windows import DAY_NS, SECOND_NS, SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.config import Config
    from dashboards.wall.picture.model import Track
    from dashboards.wall.sources import DecisionReader
    from telemetry.state.heartbeats import Beat
    from telemetry.store.protocol import StoreReader
    from telemetry.store.tables import RollupTable, StreamTable

_RAW_NS: Final = 4 * SLOT_NS
"""So far back windows are read raw at the start: younger slots may not be rolled up yet."""
_TRACK_EVERY_NS: Final = 60 * SECOND_NS
_PULSE_GRAIN_NS: Final = 10 * SECOND_NS
STORE: Final = "store"
"""Among the roles: the report store, which has no voice of its own."""


class Windows:
    """Follows the store's windows."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._cursor = 0
        self.recent = Recent()

    def look(self, now_ns: int) -> bool:
        """Take in what was committed since the last look; whether there was anything."""
        self.recent.advance(now_ns)
        if not self._cursor:  # the first look: a position is never 0
            self._begin(now_ns)
            return True
        self._cursor, table = self._reader.tail(self._cursor)
        if not len(table):
            return False
        self.recent.take_windows(table)
        return True

    def _begin(self, now_ns: int) -> None:
        cursor, _ = self._reader.tail(0)
        self.recent.take_rollups(self._rollups(now_ns))
        self.recent.take_windows(self._reader.latest())
        self.recent.take_windows(self._young(now_ns))
        self._cursor = cursor

    def _rollups(self, now_ns: int) -> RollupTable:
        return self._reader.rollups(
            Selection(now_ns - SPAN_NS, now_ns), histograms=False, columns=(), window_values=DRAWN
        )

    def _young(self, now_ns: int) -> StreamTable:
        selection = Selection(now_ns - _RAW_NS, now_ns + SLOT_NS)
        return self._reader.streams(selection, histograms=False, columns=DRAWN)


class Decisions:
    """Follows the state database."""

    def __init__(self, state: DecisionReader) -> None:
        self._state = state
        self._revision: int | None = None
        self._track: Track | None = None
        self._track_ns = 0
        self.decided = Decided()

    def look(self, config: Config, now_ns: int) -> bool:
        """Read again when something changed; whether it did."""
        revision = self._state.revision()
        if revision == self._revision:
            return False
        start_ns, end_ns = today_and_tomorrow(now_ns, config.settings.deployment.timezone)
        incidents = self._state.open_incidents()
        beats = self._state.beats()
        self.decided = Decided(
            verdicts=self._state.verdicts(start_ns, end_ns),
            outcomes=self._state.outcomes(start_ns, end_ns),
            flags=self._state.open_flags(),
            incidents=incidents,
            alerts=self._state.open_alerts(),
            marks=self._state.incident_marks([one.id for one in incidents]),
            rehearsal=self._state.open_rehearsal(),
            presence=self._state.presence(),
            pulses=pulses(beats, now_ns),
            held=held_back(beats, now_ns),
            track=self._scored(now_ns),
        )
        self._revision = revision
        return True

    def _scored(self, now_ns: int) -> Track | None:
        if now_ns - self._track_ns >= _TRACK_EVERY_NS:
            since_ns = now_ns - DAYS * DAY_NS
            self._track = track(
                self._state.forecasts(since_ns, now_ns), self._state.outcomes(since_ns, now_ns)
            )
            self._track_ns = now_ns
        return self._track


def pulses(beats: Mapping[str, Beat], now_ns: int) -> dict[str, int]:
    """By role its last sign of life (ns); of the store only while it takes nothing in: when it last did."""
    found = {role: beat.at_ns - beat.at_ns % _PULSE_GRAIN_NS for role, beat in beats.items()}
    away_ns = store_away_since(beats, now_ns)
    return found if away_ns is None else found | {STORE: away_ns}
