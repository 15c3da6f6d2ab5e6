"""Messages between releases: today's program reads the old one's, and the old one's code reads today's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from telemetry import control
from telemetry.codec import decode, decode_control, encode, encode_control
from telemetry.control import Answer, Busy, Command, Plan, PlannedEnd, PlannedReach, Presence, Rate, Stored
from telemetry.messages import WIRE_VERSION, Envelope, Opaque, Tombstone
from tests.keeping.conftest import other_items
from tests.telemetry.store.conftest import Fleet
from tests.upgrades.recordings import FIRST, messages

KINDS: dict[str, type[Any]] = {"stored": Stored, "presence": Presence, "plan": Plan}
TODAY: tuple[Any, ...] = (
    Stored(epoch="0" * 16, through=9, missing=((3, 4),)),
    Plan(
        valid_until_ns=9,
        ends=(PlannedEnd(end="state", reflectors=("a:862",)),),
        rates=(Rate(from_ns=1, until_ns=2, rate_pps=50.0, end="state"),),
        busy=(Busy(from_ns=1, until_ns=2),),
        dscp=46,
        reach=(PlannedReach(target="room", ask="sip:10.0.0.9:5060"),),
        reach_every_s=30.0,
    ),
    Presence(online=True, since_ns=1, version="0.1.0", boot="b", restart_reason="power"),
    Command(verb="status", arguments={"a": "b"}, id="1", issued_ns=1, expires_ns=2, signature="s"),
    Answer(ok=True, detail="fine", id="1", signature="s"),
)


def todays_reports() -> list[Envelope]:
    """One with every item that a probe of today may send, and the plain ones of a minute."""
    fleet = Fleet(seed=11)
    grave = Tombstone(first_seq=1, last_seq=2, from_ns=1, until_ns=2, reason="spool_full")
    every = fleet.envelope("agra", 3, items=(fleet.stream(), *other_items(fleet, 3), grave))
    return [every, *(fleet.envelope("agra", seq) for seq in range(4, 8))]


def test_todays_codec_reads_every_recorded_message() -> None:
    """Nothing is passed over: written again by today's program, a message says the same."""
    heard = messages()
    for one in heard:
        if one.leaf == "report":
            envelope = decode(one.payload)
            assert not any(isinstance(item, Opaque) for item in envelope.items)
            assert json.loads(encode(envelope)) == json.loads(one.payload)
        elif one.leaf in KINDS:
            message = decode_control(one.payload, KINDS[one.leaf])
            assert json.loads(encode_control(message)) == json.loads(one.payload)
    assert {one.leaf for one in heard} >= {"report", *KINDS}


def test_the_first_releases_code_reads_todays_messages() -> None:
    """An old hub takes and stores a new probe's reports; an old probe obeys a new hub's plan, `stored` and commands.

    Fields that are new are passed over; everything else comes out again as it went in.
    """
    reports = todays_reports()
    asked = [{"kind": "report", "payload": encode(envelope).decode()} for envelope in reports]
    asked += [{"kind": type(one).__name__, "payload": encode_control(one).decode()} for one in TODAY]
    *answers, stored = old_side(asked)
    for question, answer in zip(asked, answers, strict=True):
        new, old = json.loads(question["payload"]), json.loads(answer["again"])
        assert answer["opaque"] == []
        if question["kind"] == "report":
            assert old == new
        else:
            assert old == {name: value for name, value in new.items() if name in old}
            assert set(new) - set(old) <= NEW_SINCE.get(question["kind"], set())
    assert stored["fates"] == ["stored"] * len(reports)
    sent = sum(item.sent for e in reports for item in e.items if item.__struct_config__.tag == "stream")
    assert stored["sent"] == sent


NEW_SINCE = {
    "Plan": {"busy", "dscp", "reach", "reach_every_s"},
    "Command": {"id", "issued_ns", "expires_ns", "signature"},
    "Answer": {"id", "signature"},
}
"""Fields that the first release does not know, and may do without."""


def test_every_control_message_is_tried() -> None:
    """A new kind of message comes into the test above, or it is not tested against old programs."""
    kinds = {
        name
        for name, value in vars(control).items()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == control.__name__
    }
    assert kinds == {type(one).__name__ for one in TODAY} | {"Rate", "PlannedEnd", "PlannedReach", "Busy"}


def test_the_wire_version_is_still_the_first() -> None:
    """When it rises, the first release's hub must have been seen to take it: its decoder refuses none above its own."""
    assert WIRE_VERSION == 1
    newer = msgspec.structs.replace(todays_reports()[1], v=2)
    *answers, stored = old_side([{"kind": "report", "payload": encode(newer).decode()}])
    assert (len(answers), stored["fates"]) == (1, ["stored"])


def old_side(asked: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What the first release's own code makes of messages."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("old_side.py"))],
        input="".join(json.dumps(one) + "\n" for one in asked),
        env={**os.environ, "PYTHONPATH": str(FIRST / "telemetry.zip")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
