"""The operator's settings, `tatpar.toml`: one frozen type a section, every key with a working default.

The reference of every key is `config/defaults/tatpar.toml`, which is also the default. Every number has a range with two ends:
a rate, a span of days or a size that no room could work with is refused here, before a room fails over it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from config.regions import Region

PacketRate = Annotated[float, Meta(ge=0.1, le=1000)]
MAX_LEAD_MIN: Final = 7 * 24 * 60
FileName = Annotated[str, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
ListenPort = Annotated[int, Meta(ge=1, le=65535)]


class _Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a key that is none is refused."""


class Deployment(_Section, frozen=True, kw_only=True):
    """Who runs this, where and in which language."""

    name: str = "Tatpar"
    timezone: str = "Asia/Kolkata"
    language: Literal["hi", "en"] = "hi"
    noc_phone: str = ""


class Files(_Section, frozen=True, kw_only=True):
    """What else the operator writes; relative to the settings file."""

    sites: FileName = "sites.csv"
    meetings: FileName = "meetings"
    """An .ics file, or a folder of them."""
    extra_meetings: tuple[FileName, ...] = ()
    """More of the same, read beside `meetings`."""
    profiles: FileName = "profiles.toml"
    works: FileName = "works.csv"
    """Announced works and holidays."""
    people: FileName = "people.csv"
    """Who is told of trouble, and who gets the reports."""


class Headquarters(_Section, frozen=True, kw_only=True):
    """A named end that every office is measured to."""

    id: str
    name_en: str
    name_hi: str
    reflectors: tuple[str, ...] = ()
    """`host:port` of each STAMP reflector, in order of preference."""

    def name(self, language: str) -> str:
        """The headquarters' name in `hi` or `en`."""
        return self.name_hi if language == "hi" else self.name_en


class Meetings(_Section, frozen=True, kw_only=True):
    """What holds for a meeting that does not say otherwise."""

    default_profile: str = "video-720p"
    default_end: str = "state"


class Broker(_Section, frozen=True, kw_only=True):
    """Where the MQTT broker is, or that `tatpar up` shall bring one."""

    bring: Literal["auto", "mosquitto", "embedded", "none"] = "auto"
    """`auto`: mosquitto when it is on the machine, else the embedded one; `none`: it runs elsewhere."""
    host: str = "127.0.0.1"
    port: Port = 0
    """0: a free one (only when we bring the broker)."""
    user: str = ""
    password: str = ""
    root: str = "tatpar/1"
    ca: str = ""
    """PEM file that vouches for a broker that runs elsewhere; relative to the settings file."""
    insecure: bool = False
    """Speak without TLS to another machine all the same."""
    public_host: str = ""
    """Where our own mosquitto listens for offices, with TLS; empty: for this machine only."""
    public_port: ListenPort = 8883
    public_names: tuple[str, ...] = ()
    """Names and addresses that offices reach us by; they go into the certificate."""

    @property
    def is_public(self) -> bool:
        """Whether offices come in from other machines, through a broker of ours."""
        return bool(self.public_host)

    @property
    def names(self) -> tuple[str, ...]:
        """What offices may call us, best first."""
        return self.public_names or ((self.public_host,) if self.public_host else ())


class Enrolment(_Section, frozen=True, kw_only=True):
    """How offices get their credentials, and whether reports are taken without any."""

    required: Literal["auto", "yes", "no"] = "auto"
    """`auto`: only while broker.public_host is set."""
    host: str = ""
    """Where the enrolment desk listens; empty: at broker.public_host."""
    port: ListenPort = 8443
    names: tuple[str, ...] = ()
    """Names and addresses that offices reach the desk by; empty: those of the broker."""
    token_hours: Annotated[float, Meta(ge=0.01, le=24 * 90)] = 48


class Store(_Section, frozen=True, kw_only=True):
    """The report store."""

    kind: Literal["sqlite", "victoriametrics", "influxdb", "influxdb1"] = "sqlite"
    raw_days: Annotated[float, Meta(ge=1, le=3650)] = 90
    rollup_days: Annotated[float, Meta(ge=1, le=36_500)] = 730
    url: str = ""
    """The database server's address, for the kinds other than sqlite."""
    read_url: str = ""
    """Where it is read when that is another address, as in a VictoriaMetrics cluster; empty: `url`."""
    organisation: str = "tatpar"
    bucket: str = "tatpar"
    """Bucket (InfluxDB 2) or database (InfluxDB 1)."""
    token: str = ""
    token_file: str = ""
    insecure: bool = False
    """Whether another machine may be reached without TLS: token and reports are then readable on the way."""
    certificates: str = ""
    """A PEM file of the authorities that the server's certificate is checked against; empty: the system's."""
    prefix: str = "tatpar"
    """How the measurements' names begin."""
    decisions: bool = True
    """Whether verdicts, forecasts, outcomes and the like are written beside the reports, for Grafana."""
    journal_days: Annotated[float, Meta(ge=0.05, le=3650)] = 2
    """How long reports that the server has stay in the local journal as well."""
    journal_megabytes: Annotated[float, Meta(ge=1, le=10**7)] = 20_000
    """Past this size of the journal the operator is told; nothing is dropped."""
    batch_reports: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Most reports of one write to the server."""


class Probing(_Section, frozen=True, kw_only=True):
    """The probe budget that follows the calendar; published to every probe as its plan."""

    base_pps: PacketRate = 10
    meeting_pps: PacketRate = 50
    meeting_lead_min: Annotated[float, Meta(ge=1, le=1440)] = 30
    """From so long before a meeting's start through its end the meeting rate applies."""


class Collector(_Section, frozen=True, kw_only=True):
    """Intake and commits."""

    batch_reports: Annotated[int, Meta(ge=1, le=100_000)] = 2000
    batch_ms: Annotated[float, Meta(ge=1, le=10_000)] = 100
    """A commit waits at most so long for more reports."""
    queue_reports: Annotated[int, Meta(ge=10, le=1_000_000)] = 10_000
    """Past this the collector stops reading from the broker until a commit is through."""
    queue_bytes: Annotated[int, Meta(ge=1_000_000, le=10**10)] = 64_000_000
    """The same in bytes."""
    site_queue_reports: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    """Once the queue is more than half full, a site that has so many waiting is refused for now."""
    site_queue_bytes: Annotated[int, Meta(ge=300_000, le=10**10)] = 8_000_000
    """The same in bytes."""
    backlog_share_ratio: Annotated[float, Meta(ge=0.01, le=0.99)] = 0.2
    """Of each commit, for the backlog while live reports wait."""
    quarantine_messages: Annotated[int, Meta(ge=0, le=1_000_000)] = 1000
    """How many refused messages are kept for inspection; the oldest give way."""
    quarantine_bytes: Annotated[int, Meta(ge=0, le=10**10)] = 10_000_000
    confirm_s: Annotated[float, Meta(ge=0.01, le=3600)] = 15
    """A probe is told what is stored at most this often."""
    stalled_s: Annotated[float, Meta(ge=0.1, le=3600)] = 20
    """A connection to the broker over which nothing has come for so long is made anew."""
    retry_s: Annotated[float, Meta(ge=0.01, le=3600)] = 15
    """The longest wait before connecting to the broker, or committing, is tried again."""


class Watch(_Section, frozen=True, kw_only=True):
    """When flags are raised, verdicts issued."""

    dark_after_s: Annotated[float, Meta(ge=1, le=86_400)] = 120
    forecast_days: Annotated[float, Meta(ge=0.1, le=31)] = 2
    """Verdicts are kept up for occurrences that start within so many days."""
    history_weeks: Annotated[float, Meta(ge=1, le=104)] = 8


CodecName = Literal[
    "opus",
    "evs-swb-48k",
    "evs-swb-32k",
    "evs-swb-24.4k",
    "evs-swb-16.4k",
    "evs-swb-13.2k",
    "evs-swb-9.6k",
    "amr-wb-23.85k",
    "amr-wb-23.05k",
    "amr-wb-12.65k",
    "g711",
    "g711-plc",
    "g729a-vad",
    "g7231-vad-6.3k",
    "gsm-efr",
]
"""Those of `analytics.quality.codecs` with which a line that loses packets can be rated."""


class Quality(_Section, frozen=True, kw_only=True):
    """What the estimate of a call's audio quality assumes of the meeting's endpoints."""

    codec: CodecName = "opus"
    jitter_buffer_ms: Annotated[float, Meta(ge=0, le=400)] = 60
    packet_ms: Annotated[float, Meta(ge=1, le=120)] = 20
    own_constants: bool = False
    """Whether `ie` and `bpl` stand in place of the codec's."""
    ie: Annotated[float, Meta(ge=0, le=95)] = 10.2
    bpl: Annotated[float, Meta(ge=1, le=100)] = 9.6


class Wall(_Section, frozen=True, kw_only=True):
    """The built-in page."""

    host: str = "127.0.0.1"
    port: Port = 8420


Minutes = Annotated[float, Meta(ge=0, le=MAX_LEAD_MIN)]
PersonsLimit = Annotated[int, Meta(ge=1, le=1000)]


class Rung(_Section, frozen=True, kw_only=True):
    """One rung of the alert ladder: who is told, from when, and how long is waited for an acknowledgement."""

    role: Literal["in_charge", "regional", "noc"]
    from_min: Minutes
    """Told at the earliest so many minutes before the meeting's start."""
    wait_notice_min: Minutes = 120
    """Without an acknowledgement for so long the next rung is told, while the alert is a notice."""
    wait_warning_min: Minutes = 20
    wait_urgent_min: Minutes = 5
    reminders_min: tuple[Minutes, ...] = ()
    """Minutes before the start at which the rung is reminded while nobody has acknowledged."""


class Delivery(_Section, frozen=True, kw_only=True):
    """How messages leave the outbox, and how an acknowledgement comes back: `[alerts.delivery]`."""

    attempt_s: Annotated[float, Meta(ge=0.1, le=300)] = 20
    """An attempt that takes longer is given up, and made again later."""
    first_retry_s: Annotated[float, Meta(ge=0.1, le=3600)] = 15
    longest_retry_s: Annotated[float, Meta(ge=1, le=86_400)] = 900
    attempts: Annotated[int, Meta(ge=1, le=1000)] = 20
    """After so many the message goes to the dead letters."""
    at_once: Annotated[int, Meta(ge=1, le=64)] = 4
    """Attempts under way at the same time, by channel."""
    insecure: bool = False
    """Whether web addresses on other machines may be reached without TLS."""
    public_url: str = ""
    """Where people reach the page that acknowledges: goes before `/ack/…` in links; empty: there are no links."""
    ack_host: str = ""
    """A listener that serves that page and nothing else; empty: only the wall serves it."""
    ack_port: ListenPort = 8422
    reply_host: str = ""
    """Where the organisation's mail server hands in replies; empty: none are taken."""
    reply_port: ListenPort = 8425
    reply_to: str = ""
    """The address that replies go to, as ack@hub.example; becomes ack+TOKEN@hub.example; empty: no Reply-To."""
    alertmanager_url: str = ""
    """Of a Prometheus Alertmanager; empty: there is none."""
    alertmanager_user: str = ""
    alertmanager_password: str = ""
    alertmanager_token: str = ""
    alertmanager_resend_s: Annotated[float, Meta(ge=1, le=3600)] = 60
    """An alert that stands is said again this often; it resolves by itself when it was not for four times as long."""
    templates: dict[str, str] = {}
    """By the number of a template of ours, what a provider calls it (India's DLT): goes into `{template}`."""


class Alerts(_Section, frozen=True, kw_only=True):
    """Who is told of trouble, when and how; mail is off until a server is named."""

    smtp_host: str = ""
    smtp_port: Port = 25
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_starttls: bool = False
    sender: str = "tatpar@localhost"
    default_channels: tuple[str, ...] = ("mail",)
    """Of offices' contacts, and of people who have none of their own."""
    default_quiet: tuple[str, ...] = ("22:00-06:30",)
    """The same, of quiet hours."""
    default_per_hour: PersonsLimit = 12
    """The same, of messages an hour."""
    warning_min: Minutes = 120
    """An alert is a warning from so many minutes before the start, a notice earlier."""
    urgent_min: Minutes = 30
    """The same of urgent."""
    at_risk_min: Minutes = 0
    """Offices at risk are told of only from so many minutes before the start; 0: never."""
    not_your_line_min: Minutes = 120
    """In-charges hear of a shared fault from so many minutes before the start."""
    hold_s: Annotated[float, Meta(ge=0, le=3600)] = 15
    """What is not severe must have lasted so long, in two of three windows."""
    crowd: Annotated[int, Meta(ge=2, le=100_000)] = 4
    """When so many offices fail at once, it is waited whether they share a fault."""
    crowd_hold_s: Annotated[float, Meta(ge=0, le=3600)] = 30
    clear_s: Annotated[float, Meta(ge=0, le=86_400)] = 120
    """It is over when it has looked well for so long."""
    flaps: Annotated[int, Meta(ge=1, le=10)] = 2
    """After so many returns within the hour it is over only after `flap_clear_min`."""
    flap_clear_min: Minutes = 30
    down_after_min: Minutes = 30
    """An office without a meeting soon is told of when there was no contact for so long."""
    reminder_gap_min: Minutes = 15
    """No reminder so soon after the last message."""
    ladder: tuple[Rung, ...] = (
        Rung(role="in_charge", from_min=1440, reminders_min=(120, 30, 10)),
        Rung(role="regional", from_min=120, wait_warning_min=15),
        Rung(role="noc", from_min=60),
    )
    channels: dict[str, str] = {}
    """By name, an apprise address with {phone} or {email} in it, or https:// of a webhook."""
    delivery: Delivery = Delivery()


class Reports(_Section, frozen=True, kw_only=True):
    """The weekly readiness report: when it is made, and who gets it beside the people of role leadership."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "never"] = "mon"
    hour: Annotated[float, Meta(ge=0, le=23.99)] = 7
    """Local time at which the report of the week before is made."""
    mail_to: tuple[str, ...] = ()


class Digest(_Section, frozen=True, kw_only=True):
    """The half page to who called a meeting, before and after it."""

    before_min: Annotated[float, Meta(ge=0, le=1440)] = 60
    """Sent so many minutes before the start; 0: none."""
    after_min: Annotated[float, Meta(ge=0, le=1440)] = 60
    """And so many after the end; 0: none."""
    late_h: Annotated[float, Meta(ge=0.1, le=72)] = 12
    """One of after the meeting that could not be sent in time still helps for so many hours; one of before it until the start."""
    to: tuple[str, ...] = ()
    """Addresses for meetings that nobody is named for; empty: the NOC."""


class Metrics(_Section, frozen=True, kw_only=True):
    """Where a collector shows itself: /metrics, /healthz, /readyz."""

    host: str = "127.0.0.1"
    """Empty: nothing is served."""
    port: Port = 8421
    """0: a free one; so when another process has it: the log and the heartbeat say which."""


class Log(_Section, frozen=True, kw_only=True):
    """What the processes of the hub say of themselves, on standard error."""

    format: Literal["text", "json"] = "text"


class Lab(_Section, frozen=True, kw_only=True):
    """The emulated fleet."""

    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1
    script: str = "lab.toml"


class Settings(_Section, frozen=True, kw_only=True):
    """The whole of `tatpar.toml`."""

    deployment: Deployment = Deployment()
    files: Files = Files()
    headquarters: tuple[Headquarters, ...] = (
        Headquarters(
            id="state",
            name_en="State headquarters, Lucknow",
            name_hi="राज्य मुख्यालय, लखनऊ",
            reflectors=("reflector-1.state.example:862", "reflector-2.state.example:862"),
        ),
        Headquarters(
            id="national",
            name_en="National headquarters, New Delhi",
            name_hi="राष्ट्रीय मुख्यालय, नई दिल्ली",
            reflectors=("reflector-1.national.example:862", "reflector-2.national.example:862"),
        ),
    )
    regions: tuple[Region, ...] = (
        Region(id="west", name_en="West", name_hi="पश्चिम"),
        Region(id="braj", name_en="Braj", name_hi="ब्रज"),
        Region(id="kanpur", name_en="Kanpur", name_hi="कानपुर–बुंदेलखंड"),
        Region(id="awadh", name_en="Awadh", name_hi="अवध"),
        Region(id="kashi", name_en="Kashi", name_hi="काशी"),
        Region(id="gorakhpur", name_en="Gorakhpur", name_hi="गोरखपुर"),
    )
    meetings: Meetings = Meetings()
    broker: Broker = Broker()
    enrolment: Enrolment = Enrolment()
    store: Store = Store()
    probing: Probing = Probing()
    collector: Collector = Collector()
    watch: Watch = Watch()
    quality: Quality = Quality()
    wall: Wall = Wall()
    alerts: Alerts = Alerts()
    reports: Reports = Reports()
    digest: Digest = Digest()
    metrics: Metrics = Metrics()
    log: Log = Log()
    lab: Lab = Lab()

    @property
    def must_enrol(self) -> bool:
        """Whether reports are taken from enrolled probes only."""
        required = self.enrolment.required
        return self.broker.is_public if required == "auto" else required == "yes"

    @property
    def desk_host(self) -> str:
        """Where the enrolment desk listens; empty: there is none."""
        return self.enrolment.host or self.broker.public_host

    @property
    def desk_names(self) -> tuple[str, ...]:
        """What offices may call the desk, best first."""
        own = (self.enrolment.host,) if self.enrolment.host else ()
        return self.enrolment.names or self.broker.names or own
