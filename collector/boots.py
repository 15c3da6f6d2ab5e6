"""What is known of one boot of an office's machine: when it began by our clock, and by how much its clock is off.

A report tells two times of its window: the one that the office's clock had, and the one that its monotonic clock
had, which nobody sets. With the age (`age-ms`) it also tells when, by our clock, the boot began, give or take what it
waited for us on the way: late, never early. Once that is known, the boot's every report has its true time, whatever the
office's clock said, however often that was set, and however long a broker kept the report (decision 189).

      our clock      ──┬──────────────┬───────────────┬──────────────┬─▶
                     began        the window       it was made    received
                       ├── mono_ns ──▶┤├──── 18 s ────▶┤├─ age, waited ▶┤
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from telemetry.windows import LATE_NS, MINUTE_NS, SECOND_NS, WINDOW_NS

MADE_AFTER_NS: Final = WINDOW_NS + LATE_NS
"""From a window's start to its report."""
BEHIND_NS: Final = 60 * SECOND_NS
"""A clock may be off by so much, ahead or behind, before its dates are mended."""
STEADY_NS: Final = 5 * SECOND_NS
"""Reports that are late by the same within this are late for the same reason."""
LASTING_NS: Final = 10 * SECOND_NS
"""Late by the same for so long in our time: two reports. A queue hands over both at once."""
LASTING_SYNCHRONISED_NS: Final = 60 * SECOND_NS
"""The same of a probe that says its clock is kept right: a narrow line may delay a few reports alike."""
LASTING_KNOWN_NS: Final = 10 * MINUTE_NS
"""The same when all that changed is that reports of a known boot come later: most likely they wait for us."""
PATIENCE_NS: Final = 60 * SECOND_NS
"""For so long a boot is waited for that has not told yet when it began; then its dates are taken as they are."""
FRESH_NS: Final = 10 * SECOND_NS
"""What was kept at the office for longer may be of before its clock was set, also where it still counts as live."""
KEEP_NS: Final = 2 * WINDOW_NS
"""Times that differ by less are of one setting of the clock: the first window of a run is opened late."""
EXPLAINED_NS: Final = 3 * WINDOW_NS // 4
"""A window is the least step; half of it and some more, so that what lies between two does not go to and fro."""
_EARLY_NS: Final = WINDOW_NS + STEADY_NS
_DRIFT_OF: Final = 5_000
"""A clock that is only set now and then parts from the monotonic one by 200 ppm at most."""
_SETTINGS: Final = 8


class Told(NamedTuple):
    """What one report tells; ns. Late is by what its own clock says, after its age; None: no age was told."""

    received_ns: int
    start_ns: int
    mono_ns: int
    age_ns: int | None
    live: bool
    synchronised: bool
    kept: bool
    """A broker may have kept it for us."""
    impossible: bool
    """Its date cannot be."""
    was_wrong: bool
    """Its office's clock was wrong when it was heard last."""

    @property
    def setting_ns(self) -> int:
        """The office's clock above its monotonic one: changes only when that clock is set."""
        return self.start_ns - self.mono_ns

    @property
    def late_ns(self) -> int | None:
        """How much later it came than its date and age say."""
        if self.age_ns is None:
            return None
        return self.received_ns - self.age_ns - (self.start_ns + MADE_AFTER_NS)


class Boot(Struct, frozen=True, omit_defaults=True):
    """As told by the reports so far."""

    began_ns: int | None = None
    """By our clock, when its monotonic clock was 0; None: not known yet."""
    settings: tuple[tuple[int, int], ...] = ()
    """Settings of its clock, and by how many ns dates of each are to be moved: whole windows; 0: they stand."""
    from_mono_ns: int = 0
    """Before, its monotonic clock stood still (the machine slept): what was measured then began otherwise."""
    doubted_ns: int = 0
    """When one of its reports was not clear, the first since all was; 0: none."""
    late_ns: int | None = None
    since_ns: int = 0
    since_mono_ns: int = 0
    """Live reports have been as late as the first of a run since when, by our clock and by its monotonic one."""

    def moved(self, setting_ns: int) -> int | None:
        """What is known of dates of this setting."""
        return next((by for known, by in self.settings if abs(known - setting_ns) <= KEEP_NS), None)


class Unclear(Enum):
    """A report of which cannot be told when it was measured: not yet."""

    YET = "not yet"


def learnt(boot: Boot | None, told: Told) -> Boot:
    """What is known with one more report. Only live ones with an age teach: what waited in a spool adds nothing."""
    boot = boot or Boot()
    late_ns = told.late_ns
    if late_ns is None or not told.live:
        return boot
    began_ns = told.setting_ns + late_ns
    if boot.began_ns is not None and began_ns < boot.began_ns - _EARLY_NS:  # nothing comes before it is made
        return _run_of(replace(boot, began_ns=began_ns, settings=(), doubted_ns=0), told)
    if boot.late_ns is None or abs(late_ns - boot.late_ns) > STEADY_NS or told.received_ns < boot.since_ns:
        return _run_of(boot, told)
    if told.received_ns - boot.since_ns < _needed_ns(boot, told, began_ns):
        return boot
    return _settled(boot, told, began_ns)


def place(boot: Boot, told: Told) -> int | Unclear | None:
    """By how many ns its date is to be moved, whole windows, 0: it stands; None: this boot says nothing of it."""
    late_ns = told.late_ns
    if boot.began_ns is None:
        return None if late_ns is None else _unknown(boot, told, late_ns)
    known = boot.moved(told.setting_ns)
    waited_ns = None if late_ns is None else told.setting_ns + late_ns - boot.began_ns
    if waited_ns is not None and waited_ns < -_EARLY_NS:
        return None  # no clock of this boot counts so
    if told.live and late_ns is not None and abs(late_ns) <= BEHIND_NS and not told.kept:
        return 0  # its clock and ours agree
    if known is not None:
        return known
    if told.mono_ns < boot.from_mono_ns or (told.synchronised and not told.live):
        return None
    by_ns = _whole(boot.began_ns - told.setting_ns, told)
    doubtful = waited_ns is not None and waited_ns > BEHIND_NS and by_ns != 0
    return _in_doubt(boot, told) if doubtful else by_ns


def _unknown(boot: Boot, told: Told, late_ns: int) -> int | Unclear | None:
    """The same while it is not known when the boot began."""
    if told.kept:
        return _in_doubt(boot, told)
    if late_ns < -BEHIND_NS:
        return _whole(late_ns, told)  # nothing comes before it is made
    fresh = told.live and (told.age_ns or 0) <= FRESH_NS and not boot.doubted_ns and not told.was_wrong
    if told.synchronised or told.impossible or fresh:
        return None
    agrees = boot.moved(told.setting_ns) == 0 or _whole(late_ns, told) == 0
    return 0 if agrees else _in_doubt(boot, told)


def _in_doubt(boot: Boot, told: Told) -> Unclear | None:
    """Its boot is waited for, but not for ever."""
    doubted_ns = told.received_ns - (boot.doubted_ns or told.received_ns)
    return Unclear.YET if doubted_ns <= PATIENCE_NS else None


def doubted(boot: Boot, told: Told) -> Boot:
    """This report was not clear."""
    return replace(boot, doubted_ns=boot.doubted_ns or told.received_ns)


def placed(boot: Boot, told: Told, by_ns: int) -> Boot:
    """This report was moved by so much; a live one of a known boot ends all doubt."""
    if boot.moved(told.setting_ns) is None:
        boot = with_setting(boot, told.setting_ns, by_ns)
    clear = boot.doubted_ns and told.live and boot.began_ns is not None
    return replace(boot, doubted_ns=0) if clear else boot


def with_setting(boot: Boot, setting_ns: int, by_ns: int) -> Boot:
    """Dates of this setting are moved by so much from now on."""
    others = [pair for pair in boot.settings if abs(pair[0] - setting_ns) > KEEP_NS]
    return replace(boot, settings=(*others, (setting_ns, by_ns))[-_SETTINGS:])


def set_on(boot: Boot, by_ns: int) -> Boot:
    """The same by our clock, after that was set."""
    began_ns = None if boot.began_ns is None else boot.began_ns + by_ns
    return Boot(began_ns, from_mono_ns=boot.from_mono_ns)


def _run_of(boot: Boot, told: Told) -> Boot:
    """A new run of reports that are late by the same begins."""
    return replace(boot, late_ns=told.late_ns, since_ns=told.received_ns, since_mono_ns=told.mono_ns)


def _needed_ns(boot: Boot, told: Told, began_ns: int) -> int:
    later = boot.began_ns is not None and began_ns > boot.began_ns + BEHIND_NS
    if later and boot.moved(told.setting_ns) is not None and (told.late_ns or 0) > BEHIND_NS:
        return LASTING_KNOWN_NS
    return LASTING_SYNCHRONISED_NS if told.synchronised else LASTING_NS


def _settled(boot: Boot, told: Told, began_ns: int) -> Boot:
    """It began then: reports have been late by the same for long enough."""
    if boot.began_ns is not None and began_ns > boot.began_ns + BEHIND_NS:
        boot = replace(boot, settings=(), from_mono_ns=boot.since_mono_ns)
    boot = replace(boot, began_ns=began_ns, doubted_ns=0)
    wanted_ns, by_ns = began_ns - told.setting_ns, boot.moved(told.setting_ns)
    if by_ns is None or abs(wanted_ns - by_ns) > EXPLAINED_NS:
        by_ns = _whole(wanted_ns, told)
    return with_setting(boot, told.setting_ns, by_ns)


def _whole(wanted_ns: int, told: Told) -> int:
    age_ns = told.age_ns if told.age_ns is not None else max(told.received_ns - told.start_ns, 0)
    allowed_ns = BEHIND_NS + (0 if told.live else age_ns // _DRIFT_OF)
    return 0 if abs(wanted_ns) <= allowed_ns else round(wanted_ns / WINDOW_NS) * WINDOW_NS
