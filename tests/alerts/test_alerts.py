"""From a verdict to a mail that was taken: the whole room, with a real SMTP conversation."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from alerts.delivery.outbox import Delivery
from alerts.service import Alerts
from telemetry.decisions import Action, Reason, ReasonCode, State, Verdict
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.live import LiveConfig
    from telemetry.state.db import StateDb

STARTS_NS = 1_795_498_200 * SECOND_NS  # 2026-11-24 05:30 UTC
NOW_NS = STARTS_NS - 60 * 60 * SECOND_NS


def verdict(site: str = "agra", state: State = State.NOT_READY, **changes: object) -> Verdict:
    made = Verdict(
        site=site,
        meeting="review",
        occurrence_ns=STARTS_NS,
        starts_ns=STARTS_NS,
        ends_ns=STARTS_NS + 3600 * SECOND_NS,
        profile="video-720p",
        issued_ns=NOW_NS,
        state=state,
        probability=0.3,
        reasons=(Reason(code=ReasonCode.LOSS_UP, value=0.041, limit=0.01, unit="ratio"),),
        action=Action.RESTART_ROUTER,
    )
    return structs.replace(made, **changes)


@pytest.fixture
def alerts(live: LiveConfig, state: StateDb) -> Iterator[Alerts]:
    """A service whose delivery waits for the mail server's answer."""
    with closing(Alerts(live, state, delivery=Delivery(state, patience_s=60))) as made:
        yield made


def test_an_in_charge_is_told_once_in_hindi(alerts: Alerts, state: StateDb, mailbox) -> None:
    """Office, meeting, what will happen with one number, what to do, whom to call; however often it is looked at."""
    state.put_verdicts([verdict()])
    for step in range(5):
        alerts.step(NOW_NS + step * 31 * SECOND_NS)
    (mail,) = mailbox.taken
    assert mail["To"] == "agra@office.example"
    assert mail["Subject"].startswith("आगरा, आज 11:00")
    body = mail.get_content()
    assert "समीक्षा बैठक" in body
    assert "100 में 4" in body
    assert "राउटर" in body
    assert "0522 000000" in body


def test_the_language_is_the_offices(alerts: Alerts, state: StateDb, mailbox) -> None:
    """An office that reads English gets English."""
    state.put_verdicts([verdict("etah")])
    for step in range(3):
        alerts.step(NOW_NS + step * 16 * SECOND_NS)
    (mail,) = mailbox.taken
    assert mail["Subject"].startswith("Etah, Today 11:00: not ready")
    assert "off and on again" in mail.get_content()


def test_it_says_that_it_is_at_work(alerts: Alerts, state: StateDb) -> None:
    """A heartbeat with the counters, also when there is nothing to tell: its age is watched from outside."""
    alerts.step(NOW_NS)
    alerts.step(NOW_NS + 6 * SECOND_NS)
    beat = state.beats()["alerts"]
    assert beat.at_ns == NOW_NS + 6 * SECOND_NS
    assert {"sent", "open", "messages_waiting", "messages_dead"} <= set(beat.detail)


def test_without_any_channel_one_line_says_so(
    live: LiveConfig, state: StateDb, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With no SMTP server and no channels the outbox shows what would have been told."""
    file = tmp_path / "tatpar.toml"
    file.write_text("", encoding="utf-8")
    state.put_verdicts([verdict()])
    with caplog.at_level("INFO"), closing(Alerts(live, state)) as alerts:
        for step in range(4):
            alerts.step(NOW_NS + step * 31 * SECOND_NS)
    assert len(state.outbox(10)) == 1
    assert sum("alerts.smtp_host is empty" in line for line in caplog.messages) == 1
