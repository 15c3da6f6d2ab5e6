"""The operator's settings, `tatpar.toml`: one frozen type a section, every key with a working default.

The reference of every key is `config/defaults/tatpar.toml`, which is also the default. Every number has a range with two ends:
a rate, a span of days or a size that no room could work with is refused here, before a room fails over it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from config.alert_settings import Alerts
from config.regions import Region
from config.section import ListenPort, Port, Section

PacketRate = Annotated[float, Meta(ge=0.1, le=1000)]
FileName = Annotated[str, Meta(min_length=1)]


class Deployment(Section, frozen=True, kw_only=True):
    """Who runs this, where and in which language."""

    name: str = "Tatpar"
    timezone: str = "Asia/Kolkata"
    language: Literal["hi", "en"] = "hi"
    noc_phone: str = ""


class Files(Section, frozen=True, kw_only=True):
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


class Headquarters(Section, frozen=True, kw_only=True):
    """A named end that every office is measured to."""

    id: str
    name_en: str
    name_hi: str
    reflectors: tuple[str, ...] = ()
    """`host:port` of each STAMP reflector, in order of preference."""

    def name(self, language: str) -> str:
        """The headquarters' name in `hi` or `en`."""
        return self.name_hi if language == "hi" else self.name_en


class Meetings(Section, frozen=True, kw_only=True):
    """What holds for a meeting that does not say otherwise."""

    default_profile: str = "video-720p"
    default_end: str = "state"


class Broker(Section, frozen=True, kw_only=True):
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


class Enrolment(Section, frozen=True, kw_only=True):
    """How offices get their credentials, and whether reports are taken without any."""

    required: Literal["auto", "yes", "no"] = "auto"
    """`auto`: only while broker.public_host is set."""
    host: str = ""
    """Where the enrolment desk listens; empty: at broker.public_host."""
    port: ListenPort = 8443
    names: tuple[str, ...] = ()
    """Names and addresses that offices reach the desk by; empty: those of the broker."""
    token_hours: Annotated[float, Meta(ge=0.01, le=24 * 90)] = 48


class Store(Section, frozen=True, kw_only=True):
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


class Probing(Section, frozen=True, kw_only=True):
    """The probe budget that follows the calendar; published to every probe as its plan."""

    base_pps: PacketRate = 10
    meeting_pps: PacketRate = 50
    meeting_lead_min: Annotated[float, Meta(ge=1, le=1440)] = 30
    """From so long before a meeting's start through its end the meeting rate applies."""
    dscp: Annotated[int, Meta(ge=0, le=63)] = 0
    """Mark of the test packets of all offices, but those whose own settings name one."""


class Rehearsal(Section, frozen=True, kw_only=True):
    """Rehearsals: the load of the call, tried on all invited offices before the meeting."""

    hub_capacity_bps: Annotated[float, Meta(ge=100_000, le=1e12)] = 20_000_000
    """What rehearsals may load the headquarters' line with, each way."""
    rung_s: Annotated[float, Meta(ge=0.5, le=30)] = 7
    """A shorter one hides behind a provider's token bucket."""
    margin_min: Annotated[float, Meta(ge=0, le=240)] = 5
    """No office rehearses from so long before one of its meetings until so long after."""
    plan_min: Annotated[float, Meta(ge=0, le=1440)] = 0
    """Rehearse by ourselves so long before each meeting; 0: never."""
    plan_profiles: tuple[str, ...] = ()
    """Only before meetings of these call profiles; empty: all."""


class Collector(Section, frozen=True, kw_only=True):
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


class Watch(Section, frozen=True, kw_only=True):
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


class Quality(Section, frozen=True, kw_only=True):
    """What the estimate of a call's audio quality assumes of the meeting's endpoints."""

    codec: CodecName = "opus"
    jitter_buffer_ms: Annotated[float, Meta(ge=0, le=400)] = 60
    packet_ms: Annotated[float, Meta(ge=1, le=120)] = 20
    own_constants: bool = False
    """Whether `ie` and `bpl` stand in place of the codec's."""
    ie: Annotated[float, Meta(ge=0, le=95)] = 10.2
    bpl: Annotated[float, Meta(ge=1, le=100)] = 9.6


class Wall(Section, frozen=True, kw_only=True):
    """The built-in page."""

    host: str = "127.0.0.1"
    port: Port = 8420
    sign_in: Literal["auto", "always"] = "auto"
    """Auto: nobody is asked on this machine's own address when there is no proxy; elsewhere everybody is."""
    session_days: Annotated[float, Meta(ge=0.01, le=90)] = 7
    """A browser is signed out so long after it signed in."""
    session_idle_h: Annotated[float, Meta(ge=0.1, le=2160)] = 12
    """And when it has not been used for so long."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies that are trusted to say who asks, and from where."""
    proxy_user_header: str = ""
    """In which header such a proxy names who has signed in to it; empty: it names nobody."""
    proxy_role: Literal["see", "acknowledge", "rehearse", "administer"] = "see"
    """What people may do whom the proxy names and who are no users here."""


class Reports(Section, frozen=True, kw_only=True):
    """The weekly readiness report: when it is made, and who gets it beside the people of role leadership."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "never"] = "mon"
    hour: Annotated[float, Meta(ge=0, le=23.99)] = 7
    """Local time at which the report of the week before is made."""
    mail_to: tuple[str, ...] = ()


class Digest(Section, frozen=True, kw_only=True):
    """The half page to who called a meeting, before and after it."""

    before_min: Annotated[float, Meta(ge=0, le=1440)] = 60
    """Sent so many minutes before the start; 0: none."""
    after_min: Annotated[float, Meta(ge=0, le=1440)] = 60
    """And so many after the end; 0: none."""
    late_h: Annotated[float, Meta(ge=0.1, le=72)] = 12
    """One of after the meeting that could not be sent in time still helps for so many hours; one of before it until the start."""
    to: tuple[str, ...] = ()
    """Addresses for meetings that nobody is named for; empty: the NOC."""


class Metrics(Section, frozen=True, kw_only=True):
    """Where a collector shows itself: /metrics, /healthz, /readyz."""

    host: str = "127.0.0.1"
    """Empty: nothing is served."""
    port: Port = 8421
    """0: a free one; so when another process has it: the log and the heartbeat say which."""


class Log(Section, frozen=True, kw_only=True):
    """What the processes of the hub say of themselves, on standard error."""

    format: Literal["text", "json"] = "text"


class Lab(Section, frozen=True, kw_only=True):
    """The emulated fleet."""

    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1
    script: str = "lab.toml"


class Settings(Section, frozen=True, kw_only=True):
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
    rehearsal: Rehearsal = Rehearsal()
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
