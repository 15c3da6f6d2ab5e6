"""Which offices' clocks are wrong, and by how much: reports get their true time, and the operator is told (decision 189).

A slow clock's dates are possible ones: they look like reports that have waited. What waited came late once, and each
report of a queue that empties is late by less than the one before. A slow clock is late by the same, report after
report, in our time too. Only that is believed, and only of reports whose age the probe's monotonic clock vouches for.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import structs

from collector.boots import (
    BEHIND_NS,
    EXPLAINED_NS,
    MADE_AFTER_NS,
    STEADY_NS,
    Boot,
    Told,
    Unclear,
    doubted,
    learnt,
    place,
    placed,
    set_on,
    with_setting,
)
from collector.clock_news import ClockNews
from collector.outcome import RefusalCode, Refused
from collector.redating import dated_by
from telemetry.clock import StepWatch
from telemetry.messages import ClockState
from telemetry.state.clocks import KnownBoot
from telemetry.windows import DAY_NS, HOUR_NS, MS_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from collector.message import Message
    from telemetry.clock import WallClock
    from telemetry.state.clocks import ClockSaid
    from telemetry.store.protocol import Received

Key = tuple[str, str]
"""Site and probe."""
_REMEMBERED: Final = 20_000
"""Probes; the longest unused give way."""
_BOOTS: Final = 8
"""Of one probe."""
_MAX_BOOT: Final = 64
_WORTH_NS: Final = 5 * SECOND_NS
"""A boot is kept anew when it began otherwise by more than this."""


class _Calm(NamedTuple):
    """What the last live report of a probe told; most reports tell nothing else, and need no more thought."""

    boot: str
    setting_ns: int
    late_ns: int
    by_ns: int
    kept: bool
    until_ns: int

    def explains(self, report: Received, message: Message) -> bool:
        """Whether this one tells the same."""
        envelope = report.envelope
        if report.backlog or message.age_ms is None or message.kept is not self.kept:
            return False
        late_ns = report.received_ns - message.age_ms * MS_NS - envelope.start_ns - MADE_AFTER_NS
        return (
            envelope.boot == self.boot
            and abs(late_ns - self.late_ns) <= STEADY_NS
            and abs(envelope.start_ns - envelope.mono_ns - self.setting_ns) <= SECOND_NS
            and 0 <= self.until_ns - report.received_ns <= HOUR_NS
        )


class OfficeClocks:
    """Remembers the boots of each probe, and what was said of its clock."""

    def __init__(self) -> None:
        self._ours: StepWatch | None = None
        self._probes: OrderedDict[Key, OrderedDict[str, Boot]] = OrderedDict()
        self._calm: dict[Key, _Calm] = {}
        self._kept: dict[tuple[str, str, str], KnownBoot] = {}
        self._new_boots: dict[tuple[str, str, str], KnownBoot] = {}
        self._news = ClockNews()
        self._lock = Lock()
        """The duty that keeps it all reads what the examining thread writes."""

    def watch(self, clock: WallClock) -> None:
        """Notice from now on when our own clock is set."""
        self._ours = StepWatch(clock)

    def look(self) -> None:
        """When our own clock was set, what is known of theirs moves with it."""
        by_ns = self._ours.set_by_ns() if self._ours else 0
        if by_ns:
            with self._lock:
                self._calm.clear()
                for boots in self._probes.values():
                    for name, boot in boots.items():
                        boots[name] = set_on(boot, by_ns)

    def settle(self, report: Received, message: Message, *, misdated: bool) -> Received | Refused | None:
        """The report at its true time; None: its date stands, or nothing better is known.

        Refused for now where it cannot be told yet: its owner keeps it and sends it again.
        """
        envelope = report.envelope
        calm = self._calm.get((envelope.site, envelope.probe))
        if calm is not None and calm.explains(report, message):
            return _moved(report, calm.by_ns)
        with self._lock:
            found = self._placed(report, message, misdated=misdated)
        if not isinstance(found, Unclear):
            return found
        detail = (
            f"{envelope.site}/{envelope.probe}: whether its clock is wrong or the broker kept the report for us cannot be"
            " told yet; it is taken when it is sent again"
        )
        return Refused(RefusalCode.UNDATED, detail, message)

    def dated(self, report: Received, by_ns: int) -> None:
        """A report of a boot that is not known yet was dated by its age: those that follow are moved by the same."""
        envelope = report.envelope
        with self._lock:
            boots = self._boots_of((envelope.site, envelope.probe))
            boot = boots.get(envelope.boot[:_MAX_BOOT])
            if boot is not None and boot.began_ns is None:
                setting_ns = envelope.start_ns - envelope.mono_ns
                boots[envelope.boot[:_MAX_BOOT]] = with_setting(boot, setting_ns, by_ns)

    def take_over(self, boots: Iterable[KnownBoot], ahead: Mapping[Key, int]) -> None:
        """Go on with what was kept: by us before a restart, or by others that share the work."""
        with self._lock:
            for one in boots:
                key = one.site, one.probe, one.boot
                if self._kept.get(key) == one or key in self._new_boots:
                    continue
                self._calm.pop(key[:2], None)
                known = self._boots_of((one.site, one.probe))
                known[one.boot] = _as_kept(known.get(one.boot) or Boot(), one)
                self._kept[key] = one
            self._news.take_over(ahead)

    def news(self) -> tuple[list[KnownBoot], list[ClockSaid]]:
        """What is to be kept since the last time."""
        with self._lock:
            boots = list(self._new_boots.values())
            self._kept |= self._new_boots
            self._new_boots = {}
            return boots, self._news.taken()

    def _placed(self, report: Received, message: Message, *, misdated: bool) -> Received | Unclear | None:
        envelope = report.envelope
        wrong = self._news.is_wrong((envelope.site, envelope.probe))
        told = _told(report, message, misdated=misdated, was_wrong=wrong)
        name = envelope.boot[:_MAX_BOOT]
        boots = self._boots_of((envelope.site, envelope.probe))
        boot = learnt(boots.pop(name, None), told)
        by_ns = place(boot, told)
        if isinstance(by_ns, Unclear) and not told.kept and _is_over(told, boots.values()):
            by_ns = None
        if isinstance(by_ns, Unclear):
            boot = doubted(boot, told)
            self._calm.pop((envelope.site, envelope.probe), None)
        elif by_ns is not None:
            boot = placed(boot, told, by_ns)
        boots[name] = boot
        if len(boots) > _BOOTS:
            self._forget(envelope.site, envelope.probe, boots.popitem(last=False)[0])
        self._note((envelope.site, envelope.probe, name), boot, told)
        if isinstance(by_ns, Unclear):
            return by_ns
        if by_ns is None:
            return None
        self._calm_down(boot, told, name, report, by_ns)
        return _moved(report, by_ns)

    def _calm_down(self, boot: Boot, told: Told, name: str, report: Received, by_ns: int) -> None:
        """Those that follow tell the same, as long as nothing changes."""
        key, late_ns = (report.envelope.site, report.envelope.probe), told.late_ns
        self._calm.pop(key, None)
        if not told.live or boot.began_ns is None or boot.late_ns is None or late_ns is None:
            return
        waited_ns = told.setting_ns + late_ns - boot.began_ns
        unexplained_ns = boot.began_ns - told.setting_ns - by_ns
        is_so = abs(unexplained_ns) <= (EXPLAINED_NS if by_ns else BEHIND_NS)
        if is_so and abs(late_ns - boot.late_ns) <= STEADY_NS and abs(waited_ns) <= STEADY_NS:
            until_ns = told.received_ns + HOUR_NS
            self._calm[key] = _Calm(name, told.setting_ns, boot.late_ns, by_ns, told.kept, until_ns)

    def _boots_of(self, key: Key) -> OrderedDict[str, Boot]:
        boots = self._probes.setdefault(key, OrderedDict())
        self._probes.move_to_end(key)
        if len(self._probes) > _REMEMBERED:
            (site, probe), gone = self._probes.popitem(last=False)
            self._calm.pop((site, probe), None)
            for name in gone:
                self._forget(site, probe, name)
        return boots

    def _forget(self, site: str, probe: str, boot: str) -> None:
        self._kept.pop((site, probe, boot), None)

    def _note(self, key: tuple[str, str, str], boot: Boot, told: Told) -> None:
        """What is to be kept of it, and to be said of its clock."""
        if boot.began_ns is None:
            return
        kept = self._new_boots.get(key) or self._kept.get(key)
        new = KnownBoot(*key, told.received_ns, boot.began_ns, boot.from_mono_ns, boot.settings)
        if kept is None or _differs(kept, new):
            self._new_boots[key] = new
        by_ns = boot.moved(told.setting_ns)
        if told.live and told.late_ns is not None and by_ns is not None:  # in doubt nothing is said
            self._news.note(key[:2], -by_ns, told.received_ns)


def _moved(report: Received, by_ns: int) -> Received | None:
    fits = 0 <= report.envelope.start_ns + by_ns <= report.received_ns
    return dated_by(report, by_ns) if by_ns and fits else None


def _is_over(told: Told, others: Iterable[Boot]) -> bool:
    """Whether its boot would have begun before another was heard, so that no live report of it will ever come."""
    began_ns = told.setting_ns + (told.late_ns or 0)
    return any(other.began_ns is not None and other.since_ns > began_ns for other in others)


def _told(report: Received, message: Message, *, misdated: bool, was_wrong: bool) -> Told:
    envelope = report.envelope
    synchronised = envelope.clock.state is ClockState.SYNCHRONISED
    return Told(
        received_ns=report.received_ns,
        start_ns=envelope.start_ns,
        mono_ns=envelope.mono_ns,
        age_ns=None if message.age_ms is None else message.age_ms * MS_NS,
        live=not report.backlog,
        synchronised=synchronised,
        kept=message.kept and (misdated or not synchronised),
        impossible=misdated,
        was_wrong=was_wrong,
    )


def _as_kept(boot: Boot, kept: KnownBoot) -> Boot:
    return structs.replace(
        boot, began_ns=kept.began_ns, settings=kept.settings, from_mono_ns=kept.from_mono_ns
    )


def _differs(kept: KnownBoot, new: KnownBoot) -> bool:
    """By enough to be worth writing; a boot that is heard is also kept anew each day, so that its age is known."""
    return (
        kept.settings != new.settings
        or abs(kept.began_ns - new.began_ns) > _WORTH_NS
        or new.at_ns - kept.at_ns > DAY_NS
    )
