"""The one poller: looks at the store and the state database four times a second and tells everybody what changed."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec

from config.errors import ConfigError
from dashboards.wall.live.broadcast import Broadcast, frame
from dashboards.wall.live.difference import difference
from dashboards.wall.live.failing import FailedAlready
from dashboards.wall.live.reading import Decisions, Windows
from dashboards.wall.picture.compose import Troubles, compose
from dashboards.wall.picture.model import Picture, Scene
from dashboards.wall.picture.scene import scene
from dashboards.wall.picture.times import ms
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from config.config import Config
    from dashboards.wall.sources import DecisionReader, Live
    from telemetry.clock import WallClock
    from telemetry.store.protocol import StoreReader

LOOK_S: Final = 0.25
BEAT_NS: Final = 5 * SECOND_NS
_COMPOSE_NS: Final = SECOND_NS
_CONFIG_NS: Final = 2 * SECOND_NS
_SHARE: Final = 3.0
"""After a look of t seconds it rests at least 3 t, so that a large fleet leaves the machine to others."""
_log = logging.getLogger(__name__)


class Poller:
    """Keeps the picture, and the broadcast of its changes."""

    def __init__(
        self,
        live: Live,
        reader: StoreReader,
        state: DecisionReader,
        clock: WallClock,
        failed: FailedAlready | None = None,
    ) -> None:
        self._live = live
        self._clock = clock
        self._windows = Windows(reader)
        self._decisions = Decisions(state)
        self._failed = FailedAlready(None, clock) if failed is None else failed
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="wall-poller")
        self._config: Config = live.current
        self._troubles = Troubles()
        self._done_mono_ns: dict[str, int] = {}
        """When what is done now and then was done last; by a clock that cannot be set back."""
        self.picture = Picture(tiles={}, meetings={}, flags={})
        self.scene: Scene = scene(self._config)
        self._laid_out = self.scene
        self.scene_id = 1
        self.broadcast = Broadcast(self._whole_frame)
        self.ready = asyncio.Event()
        """Set when the first look is done."""

    async def run(self) -> None:
        """Look, tell, rest; until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = perf_counter()
                self._tell(await loop.run_in_executor(self._pool, self._look))
                self.ready.set()
                await asyncio.sleep(max(LOOK_S, _SHARE * (perf_counter() - began)))
        finally:
            self.broadcast.close()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def snapshot(self) -> bytes:
        """The whole picture with its scene, as JSON."""
        return msgspec.json.encode(self._whole() | {"scene": self.scene})

    def _look(self) -> Picture | None:
        """Read and compose; None when nothing can have changed. Runs in the pool."""
        now_ns = self._clock.now_ns()
        changed = self._take_up_config()
        trouble = ""
        try:
            changed |= self._windows.look(now_ns)
            changed |= self._decisions.look(self._config, now_ns)
        except Exception as error:  # noqa: BLE001 - whatever the databases say, the page must say so and go on
            trouble = f"{type(error).__name__}: {error}"
        changed |= self._note(Troubles(trouble, _refusal(self._live.problem)))
        if not self._is_due("compose", _COMPOSE_NS, anyhow=changed):
            return None
        decided = replace(self._decisions.decided, failed=self._failed.known)
        return compose(self._config, decided, self._windows.recent, now_ns, self._troubles)

    def _is_due(self, what: str, every_ns: int, *, anyhow: bool = False) -> bool:
        mono_ns = self._clock.monotonic_ns()
        last_ns = self._done_mono_ns.get(what)
        if not anyhow and last_ns is not None and mono_ns - last_ns < every_ns:
            return False
        self._done_mono_ns[what] = mono_ns
        return True

    def _take_up_config(self) -> bool:
        if self._is_due("config", _CONFIG_NS):
            self._live.refresh()
        if self._live.current is self._config:
            return False
        self._config = self._live.current
        self._laid_out = scene(self._config)
        return True

    def _note(self, troubles: Troubles) -> bool:
        """Log a trouble of reading when it comes and when it goes; of a refused file the configuration tells itself."""
        if troubles == self._troubles:
            return False
        before, now = self._troubles.reading, troubles.reading
        if now != before:
            if now:
                extra = {"event": "wall.failed", "reason": now}
                _log.warning("the wall cannot read: %s", now, extra=extra)
            else:
                _log.info("the wall reads again", extra={"event": "wall.recovered"})
        self._troubles = troubles
        return True

    def _tell(self, picture: Picture | None) -> None:
        if picture is not None:
            self._tell_change(picture)
        if self._is_due("beat", BEAT_NS):
            self.broadcast.beat(msgspec.json.encode({"now_ms": ms(self._clock.now_ns())}))

    def _tell_change(self, picture: Picture) -> None:
        change = difference(self.picture, picture)
        self.picture = picture
        if self._laid_out != self.scene:
            self.scene = self._laid_out
            self.scene_id += 1
            self.broadcast.restart_all()
        elif change:
            now = {"now_ms": ms(self._clock.now_ns())}
            self.broadcast.publish("change", msgspec.json.encode(change | now))

    def _whole(self) -> dict[str, object]:
        return {
            "id": self.broadcast.event_id,
            "now_ms": ms(self._clock.now_ns()),
            "scene_id": self.scene_id,
            "picture": self.picture,
        }

    def _whole_frame(self) -> bytes:
        return frame("snapshot", msgspec.json.encode(self._whole()), self.broadcast.event_id)


def _refusal(problem: Exception | None) -> str:
    """What is wrong with a changed file, in one line that names the file without its folders."""
    if isinstance(problem, ConfigError):
        return str(problem).removeprefix(f"{problem.file.parent}/")
    return "" if problem is None else str(problem)
