"""The digest of a meeting as a document of half a page, in Hindi or English."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

from reports.digest import Before
from reports.document import (
    Card,
    Cards,
    Cell,
    Column,
    Document,
    Heading,
    Paragraph,
    Table,
    Tile,
    Tiles,
    Tone,
)
from telemetry.alerting import AlertState
from telemetry.decisions import Action, Horizon, OutcomeState, State
from telemetry.windows import SECOND_NS, WINDOW_NS
from telemetry.words import say, say_action, say_office, say_reason, say_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.config import Config
    from config.people import Person
    from config.sites import Registry
    from reports.digest import After, CameTrue, Expected
    from reports.digest_alerts import Doing
    from reports.document import Block
    from telemetry.decisions import Outcome, Verdict

MOST_CARDS: Final = 8
"""Half a page; the rest is counted."""
MOST_NAMES: Final = 12
"""Offices that one shared fault is told of by name; the rest is counted."""
_TONES: Final = {State.NOT_READY: Tone.BAD, State.AT_RISK: Tone.WATCH, State.UNKNOWN: Tone.MISSING}


class Say(Protocol):
    """Words of a key in the reader's language and zone."""

    def __call__(self, key: str, **numbers: float | str) -> str:
        """The text."""
        ...


def document(digest: Before | After, config: Config, language: str, made_ns: int) -> Document:
    """What the reader gets; the same digest in the same language gives the same document, apart from the time it was made."""
    zone = ZoneInfo(config.settings.deployment.timezone)
    words = _Words(partial(say, language, zone=zone), language, zone, config, made_ns)
    occurrence = digest.occurrence
    side = "before" if isinstance(digest, Before) else "after"
    name = occurrence.meeting.name(language)
    blocks = words.before(digest) if isinstance(digest, Before) else words.after(digest)
    return Document(
        title=words.say(f"digest.title_{side}", meeting=name, starts=occurrence.starts_ns),
        subtitle=words.say("digest.span", starts=occurrence.starts_ns, ends=occurrence.ends_ns),
        language=language,
        blocks=tuple(blocks),
        foot=words.say("digest.foot", name=config.settings.deployment.name, made=made_ns),
        made_ns=made_ns,
    )


class _Words:
    def __init__(self, words: Say, language: str, zone: ZoneInfo, config: Config, made_ns: int) -> None:
        self.say = words
        self._language = language
        self._zone = zone
        self._made_ns = made_ns
        self._registry: Registry = config.registry
        self._ends = {id_: end.name(language) for id_, end in config.headquarters.items()}
        self._people = {
            person.id: person.name or self._offices_of(person, config) for person in config.people
        }

    def _offices_of(self, person: Person, config: Config) -> str:
        """What somebody without a name is called: an office's contact after the office."""
        sites = config.registry.by_id
        return ", ".join(sites[one].name(self._language) for one in person.sites if one in sites) or person.id

    # ── before ──
    def before(self, digest: Before) -> list[Block]:
        say = self.say
        trouble = [each for each in digest.offices if each.state is not State.READY]
        blocks: list[Block] = [Paragraph(self._expected(digest))]
        blocks.append(Tiles(tuple(self._tile(digest, state) for state in State if digest.count(state))))
        if digest.not_linked:
            blocks.append(Paragraph(say("digest.not_linked", n=digest.not_linked), small=True))
        blocks += self._young(digest)
        if not trouble:
            return [*blocks, Paragraph(say("digest.all_ready", n=len(digest.offices)))]
        blocks.append(Heading(say("digest.not_ready_and_done")))
        alike = self._alike(trouble)
        blocks.append(Cards(tuple(self._coming(each) for each in alike[:MOST_CARDS])))
        return [*blocks, *self._rest(sum(map(len, alike[MOST_CARDS:])))]

    def _expected(self, digest: Before) -> str:
        if not digest.judged:
            return self.say("digest.no_forecast", n=len(digest.offices))
        return self.say(
            "digest.expected", holds=round(digest.expected), n=digest.judged, all=len(digest.offices)
        )

    def _young(self, digest: Before) -> list[Block]:
        """Of which offices little is known yet: the shortest known first."""
        known = [
            (known_ns, each.site.name(self._language))
            for each in digest.offices
            if each.verdict is not None and (known_ns := each.verdict.known_for_ns(self._made_ns)) is not None
        ]
        if not known:
            return []
        named = [
            self.say("digest.young_one", office=name, known=known_ns / SECOND_NS)
            for known_ns, name in sorted(known)[:MOST_NAMES]
        ]
        more = f" +{len(known) - MOST_NAMES}" if len(known) > MOST_NAMES else ""
        return [Paragraph(self.say("digest.young", names=", ".join(named) + more), small=True)]

    def _tile(self, digest: Before, state: State) -> Tile:
        value = self.say("digest.of", n=digest.count(state), all=len(digest.offices))
        return Tile(self.say(f"state.{state.value}"), value, tone=_TONES.get(state, Tone.GOOD))

    def _alike(self, trouble: list[Expected]) -> list[list[Expected]]:
        """Offices that one fault is to blame for are told of together, where the worst of them stands, unless something else is said or done about one."""
        found: dict[object, list[Expected]] = {}
        for each in trouble:
            verdict = each.verdict
            factor = verdict.reasons[0].factor if verdict is not None and verdict.reasons else None
            if verdict is None or factor is None:
                found[each.site.id] = [each]
            else:  # its figures differ from look to look, as do the verdicts' times
                key = (each.state, factor, verdict.action, self._done(each.doing))
                found.setdefault(key, []).append(each)
        return list(found.values())

    def _coming(self, offices: list[Expected]) -> Card:
        names = [each.site.name(self._language) for each in offices]
        more = f" +{len(names) - MOST_NAMES}" if len(names) > MOST_NAMES else ""
        said = list(dict.fromkeys(self._said(each.verdict) for each in offices))
        word = said[0] if len(said) == 1 else self.say(f"state.{offices[0].state.value}")
        tone = _TONES.get(offices[0].state, Tone.PLAIN)
        newest = max(offices, key=lambda each: each.verdict.issued_ns if each.verdict is not None else 0)
        return Card(", ".join(names[:MOST_NAMES]) + more, word, self._lines(newest), tone)

    def _lines(self, office: Expected) -> tuple[str, ...]:
        """Why, what to do, and who knows."""
        verdict = office.verdict
        lines = []
        if verdict is not None and verdict.reasons:
            reason, now_ns = verdict.reasons[0], self._made_ns
            lines.append(say_reason(self._language, reason, zone=self._zone, now_ns=now_ns, names=self._ends))
        if verdict is not None and verdict.action is not Action.NONE:
            lines.append(self.say("digest.to_do", action=say_action(self._language, verdict)))
        return (*lines, *self._done(office.doing))

    def _done(self, doing: Doing | None) -> tuple[str, ...]:
        """Who has taken it up, or who was told, and who was to be told and has not been."""
        if doing is None:
            return (self.say("digest.nobody_told"),)
        alert = doing.alert
        if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_ns is not None:
            who = self._people.get(alert.acknowledged_by) or alert.acknowledged_by
            taken = self.say("digest.taken_up", who=who, at=alert.acknowledged_ns, alert=alert.id)
            return (f"{taken}: {alert.note}" if alert.note else taken, *self._of_another(doing))
        said = {"told": doing.heard, "told_waits": doing.wait, "told_given_up": doing.given_up}
        lines = tuple(
            self.say(f"digest.{key}", who=self._named(people), alert=alert.id)
            for key, people in said.items()
            if people
        )
        return (*lines, *self._of_another(doing)) if lines else (self.say("digest.nobody_told"),)

    def _of_another(self, doing: Doing) -> tuple[str, ...]:
        """That they know of it from another meeting's danger: they may not think of this one."""
        alert = doing.alert
        if not doing.of_another or alert.starts_ns is None:
            return ()
        return (self.say("digest.of_another", at=alert.starts_ns),)

    def _named(self, people: Iterable[str]) -> str:
        return ", ".join(self._people.get(one) or one for one in people)

    # ── after ──
    def after(self, digest: After) -> list[Block]:
        say = self.say
        total, held = len(digest.offices), digest.count(OutcomeState.HELD)
        failed, open_ = digest.count(OutcomeState.FAILED), digest.count(OutcomeState.UNSETTLED)
        excused = digest.count(OutcomeState.EXCUSED)
        blocks: list[Block] = [Paragraph(say("digest.held", held=held, n=total, failed=failed))]
        notes = {"open": open_, "excused": excused, "provisional": digest.provisional}
        notes["not_linked"] = digest.not_linked
        blocks += [Paragraph(say(f"digest.{key}", n=n), small=True) for key, n in notes.items() if n]
        told = [each for each in digest.offices if each.state is OutcomeState.FAILED or _was_wrong(each)]
        blocks.append(self._records(digest))
        if told:
            blocks.append(Heading(say("digest.what_happened")))
            blocks.append(Cards(tuple(self._came_true(each) for each in told[:MOST_CARDS])))
            blocks += self._rest(len(told) - MOST_CARDS)
        elif digest.all_held:
            blocks.append(Paragraph(say("digest.as_said" if digest.came_as_said else "digest.all_held")))
        return blocks

    def _records(self, digest: After) -> Table:
        say = self.say
        columns = (
            Column(say("digest.when"), "horizon"),
            Column(say("digest.said_ready"), "ready_held", is_number=True),
            Column(say("digest.said_trouble"), "flagged_failed", is_number=True),
            Column(say("digest.right"), "right", is_number=True),
        )
        rows = tuple(
            (
                Cell(say(f"horizon.{each.horizon.value}"), each.horizon.value),
                Cell(say("digest.came", n=each.ready_held, all=each.ready), each.ready_held),
                Cell(say("digest.came", n=each.flagged_failed, all=each.flagged), each.flagged_failed),
                Cell(say("digest.came", n=each.right, all=each.said), each.right),
            )
            for each in digest.records
            if each.said
        )
        return Table("forecasts", columns, rows, say("digest.was_right"), say("digest.no_record"))

    def _came_true(self, office: CameTrue) -> Card:
        outcome = office.outcome
        lines: list[str] = []
        if outcome is not None and office.state is OutcomeState.FAILED and outcome.windows:
            lines += self._how_it_failed(outcome)
        lines += [
            self.say(
                "digest.we_said",
                when=self.say(f"horizon.{horizon.value}"),
                said=self._said(office.said[horizon]),
                verdict=self.say(f"digest.right_{str(office.right(horizon)).lower()}"),
            )
            for horizon in Horizon
            if horizon in office.said
        ]
        if not office.said:
            lines.append(self.say("digest.nothing_said"))
        tone = Tone.BAD if office.state is OutcomeState.FAILED else Tone.WATCH
        return Card(
            say_office(self._language, self._registry, office.site),
            self.say(f"outcome.{office.state.value}"),
            tuple(lines),
            tone,
        )

    def _how_it_failed(self, outcome: Outcome) -> list[str]:
        """Outages by how long they were of the whole, and what else was below; without one the shares of the time."""
        whole_s, of = WINDOW_NS / SECOND_NS * outcome.windows, outcome.windows
        lines = [
            self.say(f"outcome.{key}_for", lasted=whole_s * windows / of, whole=whole_s)
            for key, windows in (("lost", outcome.lost), ("unheard", outcome.unheard))
            if windows
        ]
        broken, missing = outcome.rest
        if not lines:
            return [self.say("digest.broken", broken=broken / of, missing=missing / of)]
        if broken or missing:
            lines.append(self.say("digest.broken_too", broken=broken / of, missing=missing / of))
        return lines

    # ── both ──
    def _said(self, verdict: Verdict | None) -> str:
        if verdict is None:
            return self.say("state.unknown")
        if verdict.probability is None or verdict.expected != verdict.probability:  # that is the line's alone
            return self.say(f"state.{verdict.state.value}")
        word = say_state(self._language, verdict)
        return self.say("digest.chance", state=word, chance=verdict.probability)

    def _rest(self, more: int) -> list[Block]:
        return [Paragraph(self.say("digest.more", n=more), small=True)] if more > 0 else []


def _was_wrong(office: CameTrue) -> bool:
    return any(office.right(horizon) is False for horizon in Horizon)
