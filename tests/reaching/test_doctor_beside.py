"""What `tatpar doctor` says of the room's device and the platform's edge, by real answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from config.reach import ReachCheck
from probes.publishing.office_settings import OfficeSettings
from probes.reaching.answer import Answer
from probes.reaching.targets import Asked
from tatpar.__main__ import main
from tatpar.examination.beside import finding, of_office
from tatpar.examination.finding import Level
from tatpar.examination.starts import starts
from telemetry.control import Plan, PlannedReach, Presence
from telemetry.messages import ReachOutcome
from telemetry.windows import DAY_NS
from tests.reaching.far_ends import device

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_device_that_is_there_and_a_port_that_nobody_listens_on(tmp_path: Path) -> None:
    """The plan's device answers with its time; the office's own edge is refused, with what to do about it."""
    office = OfficeSettings(
        site="agra",
        probe="p1",
        broker_host="h",
        broker_port=1,
        spool=tmp_path / "s.db",
        reach_edges=("tcp:127.0.0.1:1",),
    )
    async with device("sip") as room:
        plan = Plan(valid_until_ns=1, reach=(PlannedReach(target="room", ask=f"sip:127.0.0.1:{room.port}"),))
        there, away = await asyncio.to_thread(of_office, office, plan)
    assert (there.subject, there.level) == ("room device", Level.FINE)
    assert " answers in " in there.text
    assert (away.subject, away.level) == ("meeting platform", Level.BROKEN)
    assert away.text == "tcp:127.0.0.1:1 does not answer: refused: nobody listens on this port"
    assert "firewall" in away.remedy
    nothing = of_office(
        OfficeSettings(site="a", probe="p", broker_host="h", broker_port=1, spool=tmp_path), None
    )
    assert [each.level for each in nothing] == [Level.FINE]


@pytest.mark.parametrize(
    ("answer", "level", "said"),
    [
        (Answer(ReachOutcome.ANSWERED, 30.5, "", 10.0, 20.5, 90 * DAY_NS), Level.FINE, "good for 90 days"),
        (Answer(ReachOutcome.ANSWERED, 30.5, "", 10.0, 20.5, 3 * DAY_NS), Level.LESS, "good for 3 days"),
        (
            Answer(ReachOutcome.EXPIRED, 1.0, "certificate: expired"),
            Level.LESS,
            "answers, certificate: expired",
        ),
        (
            Answer(ReachOutcome.OWN_TROUBLE, None, "could not be asked: x"),
            Level.LESS,
            "could not be asked: x",
        ),
        (Answer(ReachOutcome.TIMEOUT, None, "no answer in time"), Level.BROKEN, "no answer in time"),
    ],
)
def test_each_outcome_is_told(answer: Answer, level: Level, said: str) -> None:
    """Fine, less or broken, with the reason, and something to do unless it is fine."""
    found = finding(Asked("edge", ReachCheck("tls", "meet.example", 443)), answer, 0)
    assert found.level is level
    assert said in found.text
    assert bool(found.remedy) is (level is not Level.FINE)


def test_why_probes_last_started_is_told() -> None:
    """Crashes are for somebody to look at, power cuts are told, updates and orderly stops are nobody's trouble."""
    reasons = {"agra": "crash", "etah": "power", "unnao": "update", "ballia": "operator", "jhansi": "unknown"}
    presence = {
        (site, "p1"): Presence(online=True, since_ns=1, restart_reason=reason)
        for site, reason in reasons.items()
    }
    crash, power = starts(presence)
    assert (crash.level, crash.text, bool(crash.remedy)) == (Level.LESS, "agra/p1", True)
    assert (power.level, power.text) == (Level.FINE, "etah/p1")
    many = {(f"s{n}", "p1"): Presence(online=True, since_ns=1, restart_reason="crash") for n in range(8)}
    assert [one.text for one in starts(many)] == ["s0/p1, s1/p1, s2/p1, s3/p1, s4/p1 and 3 more"]
    assert list(starts({})) == []


def test_the_hubs_doctor_asks_the_platform(tmp_path: Path) -> None:
    """`tatpar doctor` at headquarters asks what the settings name, and is broken when nobody answers."""
    (tmp_path / "tatpar.toml").write_text(
        '[reach]\nedges = ["tcp:127.0.0.1:1"]\n[[headquarters]]\nid = "state"\nname_en = "S"\nname_hi = "S"\nreflectors = ["127.0.0.1:1"]\n',
        encoding="utf-8",
    )
    done = CliRunner().invoke(
        main,
        [
            "doctor",
            "--lang",
            "en",
            "--config",
            str(tmp_path / "tatpar.toml"),
            "--data",
            str(tmp_path / "data"),
        ],
    )
    assert "■ broken  meeting platform: tcp:127.0.0.1:1 does not answer" in done.output
    assert done.exit_code == 1
