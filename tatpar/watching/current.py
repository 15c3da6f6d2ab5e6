"""One look at the present: who is dark, what is degraded, and the ground on which forecasts stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.baseline import UsualNow
from analytics.condition import SUSPECT, condition
from analytics.flags import Present, dark_flags, degraded
from analytics.flapping import Flapping, flapping, flapping_flags
from analytics.forecast.newest import FORGIVEN_WINDOWS
from analytics.forecast.unheard import longest_run
from analytics.ground import Ground
from analytics.hours import local_hour
from analytics.moved_levels import moved_flags
from analytics.own_trouble import explained
from analytics.shared.sighting import Heard
from analytics.spells import MOST_NEEDED
from analytics.trends import rising_flags, trends
from tatpar.shipped.level_trees import shipped_online_trees
from tatpar.watching.broke_in_rehearsal import broke_in_rehearsal
from tatpar.watching.contact import left, offline
from tatpar.watching.foreseeing import Outlook, Seen, prepare_tracks, with_works_of
from tatpar.watching.incidents import OpenIncidents
from tatpar.watching.lost_contact import lost_in
from tatpar.watching.past import Past, Shape, nothing_known
from tatpar.watching.raised import RaisedFlags, relapses, spells_until, told_flags, told_outages
from tatpar.watching.reachable import Reachability
from telemetry.decisions import ReasonCode
from telemetry.state.heard import HEARD_UNTIL, HEARING_SINCE
from telemetry.windows import HOUR_NS, MINUTE_NS, SECOND_NS, SILENT_NS, WINDOW_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analytics.condition import Condition
    from analytics.lines import Lines
    from analytics.recent import Recent
    from analytics.told_flags import ToldFlags
    from analytics.trends import Trends
    from config.meetings import Occurrence
    from tatpar.watching.contact import Contact
    from tatpar.watching.foreseeing import ModelInForce, Prepared
    from tatpar.watching.offices import Offices
    from tatpar.watching.ring import WindowRing
    from telemetry.control import Presence
    from telemetry.decisions import Flag, Incident
    from telemetry.state.db import StateDb
    from telemetry.state.flags import FlagChanges


class Current:
    """The state now of one configuration's offices, from their ring, presence and past."""

    def __init__(self, offices: Offices, ring: WindowRing, state: StateDb, contact: Contact) -> None:
        self.offices = offices
        self.ring = ring
        self.raised = RaisedFlags()
        self.raised.recall(state, contact.listening_since_ns)
        self.incidents = OpenIncidents(offices, state)
        self._state = state
        self.contact = contact
        self._dark = np.zeros(len(offices.sites), dtype=bool)
        self._relapses: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
        self._relapsed_until_ns: NDArray[np.int64] | None = None
        self._past_incidents: tuple[Incident, ...] = ()
        self._told: tuple[int, Flapping, ToldFlags] | None = None
        self._flapping: tuple[Recent, Flapping] | None = None
        self._usual: tuple[int, int, UsualNow] | None = None
        self._prepared: Prepared | None = None
        self._judged: tuple[Recent, Condition] | None = None
        self._trends: tuple[Recent, UsualNow | None, tuple[tuple[Trends, ...], ...]] | None = None
        self._explained: tuple[Recent, NDArray[np.bool_] | None] | None = None
        self._outlook = Outlook()
        self.reachability = Reachability(offices)
        self._judged_until_ns = 0
        self._hearing_since_ns = 0

    @property
    def dark_after_ns(self) -> int:
        """How long an office may be silent."""
        return int(self.offices.config.settings.watch.dark_after_s * SECOND_NS)

    def shape(self) -> Shape:
        """What a past of these offices looks like."""
        weeks = self.offices.config.settings.watch.history_weeks
        return Shape(self.ring.lines, self.offices.sets, self.offices.zone, weeks)

    def see(self, now_ns: int) -> None:
        """Take in who is dark and which faults came back, without writing anything: for who only asks."""
        lost = offline(self.offices.sites, self._state.presence())
        self._dark = self._who_is_dark(lost, now_ns)
        self._count_spells(now_ns)

    def flag(self, past: Past | None, occurrences: Sequence[Occurrence], now_ns: int) -> FlagChanges | None:
        """Recompute the flags and write what changed; None when nothing did."""
        present = Present(now_ns, self.dark_after_ns, self._usual_now(past, now_ns))
        self.ring.stand_on(self._floor(past))
        recent, sets = self.ring.recent(), self.offices.sets
        set_of_site = self.offices.set_of_site(occurrences)
        flags = degraded(recent, sets.limits, set_of_site, present)
        flags += self.raised.waiting(flags, self._hardly_heard(recent, now_ns), recent.lines)
        linked = self.offices.linked_sites
        flags = [flag for flag in flags if flag.site in linked]
        presence = self._state.presence()
        taken_in = self.contact.takes_in(now_ns)
        carried = self.raised.carried(flags)  # troubles of before would seem to have begun together
        heard = self._heard(presence, now_ns)
        is_news = self.incidents.look(recent.lines, carried, heard, now_ns, taken_in=taken_in)
        self._dark = self._who_is_dark(offline(self.offices.sites, presence), now_ns)
        news = rising_flags(recent, self._rising(recent, past, now_ns), set_of_site, flags)
        news += moved_flags(recent, present, [*flags, *news], shipped_online_trees())
        news += flapping_flags(recent, self._comes_and_goes(now_ns), now_ns)
        news = [flag for flag in news if flag.site in linked]
        believed = self.ring.believed_anew()
        if believed is not None:
            self._state.put_beliefs(believed)
        changes = self.raised.put(self._state, [*self._dark_flags(now_ns), *flags, *news], now_ns)
        self._judged_until_ns = int(self._newest().max(initial=0))
        self._hearing_since_ns = heard.hearing_since_ns
        if changes is not None and (changes.raised or changes.cleared):
            is_news = True
        if self._relapses is None or is_news:
            self._count_spells(now_ns)
        return changes

    def listen_anew(self, now_ns: int) -> None:
        """We could hear nobody until now: silence counts from here, and what is up was not looked at meanwhile."""
        self.contact.listen_anew(now_ns)
        self.raised.listen_anew(now_ns)

    def detail(self) -> dict[str, object]:
        """For the heartbeat, as plain JSON: since when (ns) anybody is heard, until when what was heard has been judged."""
        return {HEARING_SINCE: self._hearing_since_ns, HEARD_UNTIL: self._judged_until_ns}

    def look_blind(self, now_ns: int) -> None:
        """While the store takes nothing in: what was said of the offices stands, and our deafness alone is told."""
        heard = self._heard(self._state.presence(), now_ns)
        self.incidents.look_blind(self.ring.recent().lines, heard, now_ns)

    def _hardly_heard(self, recent: Recent, now_ns: int) -> NDArray[np.bool_]:
        """(S, P): lines that had no time yet to show whether what was wrong before we began to listen still is."""
        listening_ns = self.contact.listening_since_ns
        if now_ns - listening_ns > self.dark_after_ns:
            return np.zeros(recent.lines.shape, dtype=bool)
        since = recent.start_ns + WINDOW_NS > listening_ns
        return np.asarray(recent.present[..., since].sum(axis=-1) < MOST_NEEDED)

    def _count_spells(self, now_ns: int) -> None:
        self._relapses = relapses(self._state, self.ring.lines, now_ns)
        self._relapsed_until_ns = spells_until(self._state, self.ring.lines, now_ns)
        lately = self._state.incidents(now_ns - HOUR_NS, now_ns)
        self._past_incidents = tuple(each for each in lately if each.until_ns is not None)
        self._told = self._flapping = None

    def _comes_and_goes(self, now_ns: int) -> Flapping:
        """Which lines do, worked out once of the same windows and the same spells; of these the hour passes."""
        recent = self.ring.recent()
        told, _ = self._told_lately(recent.lines, now_ns)
        if self._flapping is None or self._flapping[0] is not recent:
            self._flapping = recent, flapping(recent, told)
        return self._flapping[1]

    def _told_lately(self, lines: Lines, now_ns: int) -> tuple[Flapping, ToldFlags]:
        """What was told within the hour, read again when there is news, and each minute."""
        if self._told is None or now_ns - self._told[0] >= MINUTE_NS:
            self._told = (
                now_ns,
                told_outages(self._state, lines, now_ns),
                told_flags(self._state, lines, now_ns),
            )
            self._flapping = None
        return self._told[1:]

    def ground(
        self, past: Past | None, prepared: Prepared | None, in_force: ModelInForce, now_ns: int
    ) -> Ground:
        """What forecasts stand on now, after `flag`; `prepared` are the tracks of a past, when they are made already."""
        self.ring.stand_on(self._floor(past))
        recent, offices = self.ring.recent(), self.offices
        shape = self.shape()
        relapsed, since_ns = self._relapses or (None, None)
        fitting = past if past is not None and past.shape == shape else nothing_known(shape, now_ns)
        state = self._condition_of(recent)
        seen = Seen(recent, state, self._dark, self.ring.with_late(), self._lost_of_silent(recent))
        foresight = self._outlook.foresee(self._fitting(prepared, fitting, now_ns), in_force, seen, now_ns)
        return Ground(
            now_ns=now_ns,
            zone=offices.zone,
            profiles=offices.profiles,
            sets=offices.sets,
            recent=recent,
            with_late=self.ring.with_late(),
            condition=state,
            climate=fitting.climate,
            usual=self._usual_now(past, now_ns),
            fault_since_ns=self._fault_since(state),
            relapses=_fit(relapsed, recent.lines.shape),
            relapsing_since_ns=_fit(since_ns, recent.lines.shape),
            relapsed_until_ns=_fit(self._relapsed_until_ns, recent.lines.shape),
            flapping=self._comes_and_goes(now_ns),
            told=self._told_lately(recent.lines, now_ns)[1],
            silent_since_ns=self._silent_since(),
            stored=self.ring.ever_stored,
            dark=self._dark,
            linked=offices.linked,
            link_bps=offices.link_bps,
            dark_after_ns=self.dark_after_ns,
            listening_since_ns=self.contact.listening_since_ns,
            rehearsed=broke_in_rehearsal(self._state, offices.config, recent.lines, now_ns),
            rising=self._rising(recent, past, now_ns),
            reached=self.reachability.reached,
            explained=self._explained_by_the_probes(state),
            not_believed=self.ring.not_believed(),
            incidents=self.incidents.told,
            past_incidents=self._past_incidents,
            providers=offices.providers,
            foresight=foresight,
        )

    def _condition_of(self, recent: Recent) -> Condition:
        """Worked out once of the same windows."""
        if self._judged is None or self._judged[0] is not recent:
            self._judged = recent, condition(recent, self.offices.sets.limits)
        return self._judged[1]

    def _lost_of_silent(self, recent: Recent) -> NDArray[np.bool_] | None:
        """(S, W): contact was lost, of the offices of which more is missing than a restart takes; None where there is none."""
        missing = np.asarray(~recent.present.any(axis=1))
        rows = np.flatnonzero((longest_run(missing) > FORGIVEN_WINDOWS) & self.offices.linked)
        if not len(rows):
            return None
        lost = np.zeros(missing.shape, dtype=bool)
        lost[rows] = lost_in(self._state, [self.offices.sites[row] for row in rows], recent.start_ns)
        return lost

    def _rising(self, recent: Recent, past: Past | None, now_ns: int) -> tuple[tuple[Trends, ...], ...]:
        """By limit set, worked out once of the same windows and the same hour."""
        usual = self._usual_now(past, now_ns)
        if self._trends is None or self._trends[0] is not recent or self._trends[1] is not usual:
            self._trends = (
                recent,
                usual,
                tuple(trends(recent, each, usual) for each in self.offices.sets.limits),
            )
        return self._trends[2]

    def _explained_by_the_probes(self, cleared: Condition) -> NDArray[np.bool_] | None:
        """(L, S, P): what only looks broken by what a probe in trouble reported; None where no probe is in trouble."""
        recent, reported = self.ring.recent(), self.ring.reported()
        if self._explained is None or self._explained[0] is not recent:
            found = None
            if reported is not recent:
                found = explained(condition(reported, self.offices.sets.limits), cleared, SUSPECT)
            self._explained = recent, found
        return self._explained[1]

    def _fitting(self, prepared: Prepared | None, past: Past, now_ns: int) -> Prepared:
        """The tracks of this past, made now where nobody has, with the works that this configuration announces."""
        if self._prepared is not None and self._prepared.past is past:
            return self._prepared
        if prepared is None or prepared.past is not past:
            if past.until_ns == 0 and self._prepared is not None and self._prepared.past.shape == past.shape:
                return self._prepared  # still nothing known, of the same lines
            prepared = prepare_tracks(past, self.offices, self._state, now_ns)
        elif prepared.offices is not self.offices:
            prepared = with_works_of(prepared, self.offices, now_ns)
        self._prepared = prepared
        return prepared

    def _heard(self, presence: Mapping[tuple[str, str], Presence], now_ns: int) -> Heard:
        """Who is heard. An office that was dark before we began to listen has been silent since then; of one that was ended in order nothing is expected."""
        spoken_of, gone = {site for site, _ in presence}, left(presence)
        last = self.ring.last_end_ns  # what fell silent while nobody listened did not do so at one moment
        since = np.where(last > 0, last, self.contact.listening_since_ns)
        dark = {site: self.raised.since(site, "", ReasonCode.DARK) or 0 for site in self.raised.dark_sites()}
        for site, dark_ns in dark.items():
            row = self.ring.lines.site_index.get(site)
            if row is not None and not self.ring.last_end_ns[row].any():
                since[row] = dark_ns
        sites = self.offices.sites
        known = np.array([site in spoken_of or site in dark for site in sites], dtype=bool)
        stays = np.array([site not in gone for site in sites], dtype=bool)
        expected = self.offices.linked & stays & (known | self.ring.last_end_ns.any(axis=1))
        return Heard(since, expected, self.contact.hearing_since_ns(self._newest(), now_ns))

    def _who_is_dark(self, lost: NDArray[np.bool_], now_ns: int) -> NDArray[np.bool_]:
        """(S,): offices without contact, but for those that nobody can hear because headquarters takes nothing in.

        One alone is given `dark_after_ns`: its router may start anew. Those that a shared fault has silenced need no longer wait: that
        they fell silent together is no accident. Who counts as dark does so until it is heard.
        """
        newest = self._newest()
        dark = self.contact.dark(self.offices.sites, newest, lost, now_ns, self.dark_after_ns)
        silent = now_ns - newest > SILENT_NS
        dark |= self.incidents.silenced(silent & (newest > 0))
        unheard = newest <= self.contact.listening_since_ns
        told = self.raised.dark_sites()
        was = np.array([site in told for site in self.offices.sites], dtype=bool)
        fallen_silent = (dark | (was & (unheard | silent))) & self.offices.linked
        return np.asarray(fallen_silent & ~self.incidents.unheard_because_of_us())

    def _dark_flags(self, now_ns: int) -> list[Flag]:
        since = self._silent_since().max(axis=1)
        sites = {self.offices.sites[row]: int(since[row]) for row in np.flatnonzero(self._dark)}
        return dark_flags(sites, now_ns, self.dark_after_ns)

    def _newest(self) -> NDArray[np.int64]:
        """(S,): end of the newest window of each linked office, 0 when there is none."""
        return np.where(self.offices.linked, self.ring.last_end_ns.max(axis=1, initial=0), 0)

    def _silent_since(self) -> NDArray[np.int64]:
        """(S, P): end of each line's newest window, also of one that was stored before we began to listen; where there is none, when we began.

        Of an office without contact it is what its flag says, whoever was started again meanwhile, and whatever came late.
        """
        ring, listening_ns = self.ring, self.contact.listening_to_ns(self.offices.sites)
        last = np.where(ring.last_end_ns > 0, ring.last_end_ns, ring.stored_end_ns)
        for row in np.flatnonzero(self._dark):
            told_ns = self.raised.since(self.offices.sites[row], "", ReasonCode.DARK)
            since_ns = min(
                (ns for ns in (int(last[row].max()), told_ns) if ns), default=int(listening_ns[row])
            )
            last[row] = np.where(last[row] > 0, np.minimum(last[row], since_ns), since_ns)
        return np.where(last > 0, last, listening_ns[:, None])

    def _fault_since(self, state: Condition) -> NDArray[np.int64]:
        """(L, S, P): where a line is suspect, the earlier of when it became so and of the flags that are up on it."""
        suspect = state.suspicion >= SUSPECT
        since = self.ring.recent().start_ns[np.maximum(state.since, 0)]
        flagged = self.raised.line_since_ns(self.ring.lines)[None]
        since = np.where(flagged > 0, np.minimum(since, flagged), since)
        return np.where(suspect, since, 0)

    def _floor(self, past: Past | None) -> NDArray[np.float32] | None:
        """The lines' floors, of a past of these very lines."""
        return past.floor_ms if past is not None and past.shape.lines == self.ring.lines else None

    def _usual_now(self, past: Past | None, now_ns: int) -> UsualNow | None:
        """Kept for the hour, until another past is at hand."""
        if past is None or past.shape != self.shape() or not len(past.history.hours):
            return None
        key = (id(past), local_hour(now_ns, self.offices.zone))
        if self._usual is None or self._usual[:2] != key:
            self._usual = (*key, UsualNow(past.history, key[1]))
        return self._usual[2]


def _fit(array: NDArray[np.int64] | None, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Widened by zeros for paths that were learnt since."""
    if array is None:
        return np.zeros(shape, dtype=np.int64)
    return np.pad(array, ((0, 0), (0, shape[1] - array.shape[1])))
