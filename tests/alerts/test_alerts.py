"""Who is told what and when; mail goes through a real SMTP conversation."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from alerts.mail import DeliveryError, send
from msgspec import structs

from alerts.delivery import FIRST_RETRY_S, NEVER_NS, Delivery, retry_ns
from alerts.service import Alerts
from telemetry.decisions import Action, Reason, ReasonCode, State, Verdict
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from config.live import LiveConfig

STARTS_NS = 1_795_498_200 * SECOND_NS  # 2026-11-24 05:30 UTC
NOW_NS = STARTS_NS - 60 * 60 * SECOND_NS
HELD_NS = NOW_NS + 31 * SECOND_NS


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


def test_an_in_charge_is_told_once_in_hindi(live: LiveConfig, state: StateDb, mailbox) -> None:
    """The mail names office, meeting, time, what will happen with one number, what to do and whom to call."""
    state.put_verdicts([verdict()])
    alerts = Alerts(live, state)
    for step in range(5):
        alerts.step(NOW_NS + step * 31 * SECOND_NS)
    (mail,) = mailbox.taken
    assert mail["To"] == "agra@office.example"
    assert mail["Subject"] == "समीक्षा बैठक, 24 नवंबर, मंगलवार, 11:00 बजे: तैयार नहीं"
    assert mail.get_content().splitlines() == [
        "आगरा",
        "11:00 की समीक्षा बैठक: दूसरों को आपकी आवाज़ और तस्वीर टूटकर मिलेगी (100 में 4 पैकेट खो रहे हैं)। राउटर बंद करके 1 मिनट बाद चालू करें।",
        "मदद: NOC 0522 000000",
    ]


def test_it_says_that_it_is_at_work(live: LiveConfig, state: StateDb) -> None:
    """Each look leaves a heartbeat, also when there is nothing to tell: its age is watched from outside."""
    Alerts(live, state).step(NOW_NS)
    assert state.beats()["alerts"].at_ns == NOW_NS


def test_the_language_is_the_offices(live: LiveConfig, state: StateDb, mailbox) -> None:
    """An office that reads English gets English."""
    state.put_verdicts([verdict("etah")])
    alerts = Alerts(live, state)
    alerts.step(NOW_NS)
    alerts.step(HELD_NS)
    (mail,) = mailbox.taken
    assert mail["Subject"].startswith("Review, ")
    assert "4 of 100 packets are lost" in mail.get_content()


def test_a_flap_shorter_than_the_hold_wakes_nobody(live: LiveConfig, state: StateDb, mailbox) -> None:
    """Not ready for less than 30 s at a time is not told, however often."""
    alerts = Alerts(live, state)
    for step in range(8):
        now_ns = NOW_NS + step * 20 * SECOND_NS
        state.put_verdicts([verdict(state=State.NOT_READY if step % 2 else State.READY)])
        alerts.step(now_ns)
    assert not mailbox.taken
    assert not state.outbox(10)


@pytest.mark.parametrize(
    "quiet",
    [
        verdict(state=State.AT_RISK),
        verdict(state=State.UNKNOWN),
        verdict("kannauj"),
        verdict("nowhere"),
        verdict(starts_ns=NOW_NS + 3 * 3600 * SECOND_NS, ends_ns=NOW_NS + 4 * 3600 * SECOND_NS),
    ],
    ids=["at-risk", "unknown", "planned-office", "no-such-office", "meeting-not-soon"],
)
def test_nobody_is_told_without_need(live: LiveConfig, state: StateDb, mailbox, quiet: Verdict) -> None:
    """Only a linked office that is not ready for a meeting that starts soon is told."""
    state.put_verdicts([quiet])
    alerts = Alerts(live, state)
    alerts.step(NOW_NS)
    alerts.step(HELD_NS)
    assert not mailbox.taken
    assert not state.outbox(10)


def test_a_busy_server_is_tried_again(live: LiveConfig, state: StateDb, mailbox) -> None:
    """A 4xx answer is tried again later, and the mail arrives once."""
    mailbox.answers = ["451 greylisted", "250 taken"]
    state.put_verdicts([verdict()])
    alerts = Alerts(live, state)
    alerts.step(NOW_NS)
    alerts.step(HELD_NS)
    assert not mailbox.taken
    assert state.outbox(1)[0].error == "451 greylisted"
    alerts.step(HELD_NS + FIRST_RETRY_S * SECOND_NS)
    alerts.step(HELD_NS + 10 * FIRST_RETRY_S * SECOND_NS)
    assert len(mailbox.taken) == 1


def test_a_final_no_is_kept_to_be_seen(live: LiveConfig, state: StateDb, mailbox) -> None:
    """A 5xx answer is not tried again; the row stays with its error."""
    mailbox.answers = ["550 no such user"]
    state.put_verdicts([verdict()])
    alerts = Alerts(live, state)
    for step in range(10):
        alerts.step(NOW_NS + step * 600 * SECOND_NS)
    assert len(mailbox.offered) == 1
    (row,) = state.outbox(10)
    assert (row.sent_ns, row.error) == (None, "550 no such user")


def test_a_crash_between_sending_and_marking_repeats_the_same_message_id(
    live: LiveConfig, tmp_path: Path, mailbox
) -> None:
    """At least once: what was taken but not marked is sent again, and can be known by its Message-ID."""

    def take_then_die(row, settings) -> None:
        send(row, settings)
        raise KeyboardInterrupt

    path = tmp_path / "crash.db"
    with contextlib.closing(StateDb(path)) as state:
        state.put_verdicts([verdict()])
        alerts = Alerts(live, state, delivery=Delivery(state, take_then_die))
        alerts.step(NOW_NS)
        with pytest.raises(KeyboardInterrupt):
            alerts.step(HELD_NS)
    with contextlib.closing(StateDb(path)) as state:
        again = Alerts(live, state)
        for step in range(3):
            again.step(HELD_NS + step * 60 * SECOND_NS)
    first, second = mailbox.taken
    assert first["Message-ID"] == second["Message-ID"]


def test_a_crash_between_deciding_and_sending_loses_nothing(
    live: LiveConfig, tmp_path: Path, mailbox
) -> None:
    """What was put into the outbox is sent after a restart, although the hold is forgotten."""
    path = tmp_path / "crash.db"
    with contextlib.closing(StateDb(path)) as state:
        state.enqueue("agra/review", "mail", "agra@office.example", "विषय", "बात\n", NOW_NS)
    with contextlib.closing(StateDb(path)) as state:
        Alerts(live, state).step(NOW_NS)
    assert [mail["Subject"] for mail in mailbox.taken] == ["विषय"]


def test_a_server_that_hangs_is_given_up(live: LiveConfig, state: StateDb) -> None:
    """A server that says nothing costs the time limit and no more."""
    state.enqueue("k", "mail", "agra@office.example", "s", "b", NOW_NS)
    (row,) = state.due(NOW_NS)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = structs.replace(live.current.settings.alerts, smtp_port=silent.getsockname()[1])
        with pytest.raises(DeliveryError, match="timed out"):
            send(row, settings, timeout_s=0.2)


def test_without_a_server_messages_wait(live: LiveConfig, state: StateDb, caplog) -> None:
    """With no SMTP server named, nothing is tried; the outbox shows what would have been told, and one line says so."""
    mute = structs.replace(
        live.current,
        settings=structs.replace(
            live.current.settings, alerts=structs.replace(live.current.settings.alerts, smtp_host="")
        ),
    )
    state.put_verdicts([verdict()])

    class Mute:
        current = mute

        def refresh(self) -> None:
            """Nothing ever changes."""

    alerts = Alerts(Mute(), state)
    with caplog.at_level("INFO"):
        for step in range(4):
            alerts.step(NOW_NS + step * 31 * SECOND_NS)
    assert len(state.outbox(10)) == 1
    assert sum("alerts.smtp_host is empty" in line for line in caplog.messages) == 1


def test_retries_double_up_to_their_cap() -> None:
    """The wait grows from 15 s to a quarter of an hour; a final no waits for ever."""
    assert [retry_ns(n, final=False) // SECOND_NS for n in (0, 1, 2, 6, 40)] == [15, 30, 60, 900, 900]
    assert retry_ns(0, final=True) == NEVER_NS
