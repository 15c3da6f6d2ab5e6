"""What stands in the places of a template: facts, looked up and put into the reader's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from alerts.facts import Audience, Form
from alerts.words.bounds import WHOLE, bound, short_phone
from alerts.words.shorten import SMS_MARK, shorten
from alerts.words.sms import plain, units
from alerts.words.templates import Known, Voice, voice_of
from telemetry.alerting import Kind
from telemetry.decisions import Action, FactorKind, ReasonCode
from telemetry.windows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from telemetry.words import format as form
from telemetry.words import knows, measure, say, say_cause, say_office, say_reason, say_region, say_told
from telemetry.words.format import of_hundred

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from alerts.facts import Facts
    from config.config import Config
    from telemetry.decisions import Factor, Reason

NOTHING: Final = "-"
"""Stands where there is no word: an empty place would look like a mistake of the provider's."""
_LOSS: Final = frozenset({ReasonCode.LOSS_UP, ReasonCode.LOSS_DOWN, ReasonCode.LOSS})
_SPEAK_FOR_THEMSELVES: Final = frozenset({Kind.DARK, Kind.ROOM_DEVICE})
"""Kinds that say what is the matter, whatever else the reasons say."""
_EARLY_NS: Final = 15 * 60 * SECOND_NS
"""People are asked to join so long before the start, when there is so much time left."""
_WHOLE_NS: Final = (DAY_NS, HOUR_NS, MINUTE_NS)
"""Of what was not seen to begin the whole days, hours or minutes are told: "at least", and short enough for a text message."""
_LEAST_NAME: Final = 4
"""A name shorter than that says nothing; the number stands alone then."""
_COMPANY: Final = frozenset({FactorKind.PROVIDER, FactorKind.PROVIDER_REGION, FactorKind.UPLINK})


class Speaker:
    """The values of the variables, by name, for one reader and one form."""

    def __init__(self, facts: Facts, config: Config, language: str, shape: Form) -> None:
        self._facts = facts
        self._config = config
        self._language = language
        self._short = shape is Form.SMS
        self._shape = shape
        self._zone: tzinfo = ZoneInfo(config.settings.deployment.timezone)
        self._values: dict[str, Callable[[], str]] = {
            "when": self._when,
            "meeting": self._meeting,
            "office": lambda: self.office(facts.site),
            "offices": self._offices,
            "what": self._what,
            "n": lambda: str(self.lost_of_hundred or ""),
            "do": self._do,
            "line": lambda: self.line,
            "side": self._side,
            "state": self._state,
            "cause": self._cause,
            "common": self._common,
            "count": self._count,
            "since": self._since,
            "lasted": self._lasted,
            "unanswered": lambda: facts.unanswered or self.say("alerts.the_one_below"),
            "contact": self._contact,
            "ref": lambda: facts.alert,
            "link": lambda: facts.link,
        }

    def value(self, name: str) -> str:
        """What stands in a place: within its bound, on one line, never empty."""
        text = " ".join(self._values[name]().splitlines()).strip() or NOTHING
        if name in WHOLE:
            return text
        if self._short:
            return shorten(plain(text), bound(name, self._shape), SMS_MARK)
        return shorten(text, bound(name, self._shape))

    @property
    def lost_of_hundred(self) -> int | None:
        """How many of a hundred packets are lost, when that is the trouble and known."""
        reason = self._facts.reason
        if reason is None or reason.code not in _LOSS or reason.value is None or reason.until_ns is not None:
            return None
        return max(1, of_hundred(reason.value))

    @property
    def known(self) -> Known:
        """Which number the message names."""
        if self.line:
            return Known.LINE
        return Known.NOTHING if self.lost_of_hundred is None else Known.OF_HUNDRED

    @property
    def takes_replies(self) -> bool:
        """Whether a mail can be answered to acknowledge."""
        return bool(self._config.settings.alerts.delivery.reply_to)

    @property
    def phone(self) -> str:
        """The NOC with its number, when it has one."""
        phone = self._config.settings.deployment.noc_phone.replace("{", "").replace("}", "")
        if self._short:
            phone = short_phone(phone)
        return self.say("alerts.noc_phone", phone=phone) if phone else self.say("alerts.noc")

    def office(self, site: str) -> str:
        """An office's name; of one that the registry no longer has its id, and that it has not."""
        return say_office(self._language, self._config.registry, site)

    def names(self, sites: tuple[str, ...], most: int) -> str:
        """Names of offices, at most so many of them, and how many more there are."""
        text = ", ".join(self.office(site) for site in sites[:most])
        more = len(sites) - most
        return self.say("alerts.and_more", names=text, n=more) if more > 0 else text

    def say(self, key: str, **numbers: float | str) -> str:
        """Words of the catalogue in the reader's language and the deployment's zone."""
        return say(self._language, key, zone=self._zone, **numbers)

    def _meeting(self) -> str:
        facts = self._facts
        if facts.meeting and facts.occurrence_ns is not None:
            starts_ns = facts.starts_ns if facts.starts_ns is not None else facts.occurrence_ns
            found = self._config.calendar.find(facts.meeting, facts.occurrence_ns, starts_ns)
            if found is not None:
                return found.meeting.name(self._language)
        return self.say("alerts.some_meeting")

    def _when(self) -> str:
        starts_ns, now_ns = self._facts.starts_ns, self._facts.now_ns
        if starts_ns is None:
            return self.say("alerts.time_unknown")
        starts, now = form.local(starts_ns, self._zone), form.local(now_ns, self._zone)
        days = (starts.date() - now.date()).days
        voice = "sms" if self._short else "long"
        if days in {0, 1}:
            return self.say(f"alerts.{voice}.{'today' if days == 0 else 'tomorrow'}", at=starts_ns)
        return self.moment(starts_ns)

    def moment(self, time_ns: int) -> str:
        """A time: of today the clock alone."""
        then, now = form.local(time_ns, self._zone), form.local(self._facts.now_ns, self._zone)
        if then.date() == now.date():
            return self.say("alerts.clock", at=time_ns)
        if not self._short:
            return form.moment(self._language, time_ns, self._zone)
        return form.short_moment(self._language, time_ns, self._zone)

    def _since(self) -> str:
        since_ns = self._facts.since_ns
        return self.say("alerts.a_while_ago") if since_ns is None else self.moment(since_ns)

    def _offices(self) -> str:
        """As many names as there is room for, and how many more there are."""
        sites = self._facts.sites or ((self._facts.site,) if self._facts.site else ())
        limit = bound("offices", self._shape)
        fitting = (self.names(sites, shown) for shown in range(min(len(sites), limit), 0, -1))
        return next(
            (text for text in fitting if units(text) <= limit), self.office(sites[0]) if sites else "-"
        )

    def _what(self) -> str:
        """What it means for the meeting, in everyday words: what will happen, or what happens while it runs."""
        reason, kind = self._facts.reason, self._facts.kind
        about = kind.value if reason is None or kind in _SPEAK_FOR_THEMSELVES else reason.told_as.value
        starts_ns = self._facts.starts_ns
        runs = starts_ns is not None and starts_ns <= self._facts.now_ns
        voice = "alerts.what" if self._short else "alerts.told"
        if runs and knows(self._language, f"{voice}_now.{about}"):
            return self.say(f"{voice}_now.{about}")
        if self._short:
            if reason is not None and about == reason.code.value:
                about = _short_name(reason)
            return self.say(f"alerts.what.{about}")
        if reason is not None and about == reason.told_as.value:
            told = say_told(self._language, reason)
        else:
            told = self.say(f"told.{about}")
        return told[:1].lower() + told[1:]  # it stands behind a colon

    def _do(self) -> str:
        return self.say(self._by_the_clock("alerts.do")) if self._short else self.act

    @property
    def act(self) -> str:
        """The one thing to do, in full; to call the provider with the line's number when it is known."""
        action = self._facts.action
        if action is Action.CALL_PROVIDER and self.line:
            return self.say("alerts.act.call_provider_line", line=self.line)
        return self.say(self._by_the_clock("alerts.act"))

    def _by_the_clock(self, family: str) -> str:
        """The key of the action: some are said otherwise shortly before the start, and while the meeting runs."""
        key = f"{family}.{self._facts.action.value}"
        starts_ns = self._facts.starts_ns
        left_ns = starts_ns - self._facts.now_ns if starts_ns is not None else _EARLY_NS + 1
        when = "_now" if left_ns <= 0 else "_soon" if left_ns <= _EARLY_NS else ""
        return key + when if knows(self._language, key + when) else key

    @property
    def line(self) -> str:
        """The provider's number of the office's line, where the provider is to be called; empty: not known."""
        site = self._config.registry.by_id.get(self._facts.site)
        return site.line_number if site is not None and self._facts.action is Action.CALL_PROVIDER else ""

    def _side(self) -> str:
        """Where the fault is when it is not the office's."""
        factor = self._factor
        if factor is None or factor.is_headquarters:
            return self.say("alerts.side.headquarters")
        if factor.kind is FactorKind.AT_ONCE:
            return self.say("alerts.side.at_once")
        return self.say(f"alerts.side.{'company' if factor.kind in _COMPANY else 'region'}")

    @property
    def _factor(self) -> Factor | None:
        reason = self._facts.reason
        return self._facts.factor or (reason.factor if reason is not None else None)

    def _state(self) -> str:
        """What is expected; where there is room and the line is down now, that first."""
        facts = self._facts
        state = self.say(f"alerts.state.{facts.kind.value}")
        if (
            self._short
            or facts.kind in _SPEAK_FOR_THEMSELVES
            or facts.reason is None
            or not facts.reason.is_down_now
        ):
            return state
        return self.say("down.state", down=self.say(f"brief.{facts.reason.code.value}"), state=state)

    def _cause(self) -> str:
        """Why, with its number; of what speaks for itself since when."""
        reason = self._facts.reason
        if self._facts.kind in _SPEAK_FOR_THEMSELVES:
            return self.say("alerts.since", since=self._since())
        if reason is None:
            return self.say("alerts.cause_unknown")
        if self._short:
            return self._short_cause(reason)
        now_ns = self._facts.now_ns
        return say_reason(self._language, reason, zone=self._zone, now_ns=now_ns, names=self._ends)

    def _short_cause(self, reason: Reason) -> str:
        if reason.record is not None:
            failed, weeks = reason.record
            return self.say(f"alerts.record.{reason.code.value}", failed=failed, weeks=weeks)
        name = _short_name(reason)
        cause = self.say(f"alerts.cause.{name}")
        alone = f"alerts.cause_alone.{name}"  # of what would end in a comma and "now"
        without = self.say(alone) if knows(self._language, alone) else cause
        if reason.value is None or reason.factor is not None or not reason.unit:
            return without
        counted = f"{cause} {measure(self._language, reason.value, reason.unit)}"
        return counted if units(counted) <= bound("cause", self._shape) else without  # never half a number

    def _common(self) -> str:
        """What the offices have in common."""
        factor = self._factor
        if factor is None:
            return self.say("alerts.cause_unknown")
        if not self._short:
            return say_cause(self._language, factor, self._ends)
        name = say_region(self._language, factor.name) if factor.kind is FactorKind.REGION else factor.name
        name = self._ends.get(name, name) if factor.kind is FactorKind.END else name
        region = say_region(self._language, factor.region)
        return self.say(f"alerts.factor.{factor.kind.value}", name=name, region=region)

    @property
    def _ends(self) -> dict[str, str]:
        return {id_: end.name(self._language) for id_, end in self._config.headquarters.items()}

    def _count(self) -> str:
        if voice_of(self._facts.audience) is Voice.TECHNICAL and self._facts.sites and self._facts.count == 1:
            return self.say("alerts.offices_count", n=len(self._facts.sites))
        return self.say("alerts.messages_count", n=self._facts.count)

    def _contact(self) -> str:
        """The office's in-charge with the telephone number, which is worth more than the name where room is scarce."""
        site, limit = self._config.registry.by_id.get(self._facts.site), bound("contact", self._shape)
        if site is None or not site.contact_phone:
            return self.say("alerts.the_office") if self._facts.audience is Audience.NOC else self.phone
        phone = short_phone(site.contact_phone) if self._short else site.contact_phone
        room = limit - units(phone) - 1
        name = shorten(plain(site.contact_name), room, SMS_MARK) if room > _LEAST_NAME else ""
        return f"{name} {phone}".strip() or self.say("alerts.the_office")

    def _lasted(self) -> str:
        since_ns, ended_ns = self._facts.since_ns, self._facts.ended_ns
        if since_ns is None:
            return self.say("alerts.some_time")
        ended_ns = ended_ns if ended_ns is not None else self._facts.now_ns
        lasted_ns = max(0, ended_ns - since_ns)
        if not self._facts.unseen:
            return form.duration(self._language, lasted_ns / SECOND_NS)
        unit_ns = next((unit_ns for unit_ns in _WHOLE_NS if lasted_ns >= unit_ns), None)
        if unit_ns is None:
            return self.say("alerts.some_time")
        whole = form.duration(self._language, lasted_ns // unit_ns * unit_ns / SECOND_NS)
        return self.say("alerts.at_least", lasted=whole)


def _short_name(reason: Reason) -> str:
    """What a text message calls a reason: the trouble of others is no shared fault, and may be over."""
    if not reason.is_of_others:
        return reason.code.value
    return "others" if reason.until_ns is None else "others_were"
