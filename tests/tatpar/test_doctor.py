"""The doctor names what is broken and what to do about it, and ends with 1; with 0 when all is well."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from collector.broker.ports import free_port
from probes.reflecting.reflector import Reflector
from tatpar.__main__ import main
from tatpar.hub.failures import note_failure
from tatpar.hub.keeping import Failure
from telemetry.state.db import StateDb
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

HEADQUARTERS = """
[[headquarters]]
id = "state"
name_en = "State"
name_hi = "राज्य"
reflectors = [{reflectors}]
"""


def seconds_since(then_ns: int) -> int:
    """By which what is said of an age may be more than it was then."""
    return (time.time_ns() - then_ns) // SECOND_NS + 1


@pytest.fixture
def reflector() -> Iterator[str]:
    """The address of a reflector that answers."""
    with Reflector([("127.0.0.1", 0)]) as running:
        thread = threading.Thread(target=running.serve, name="reflector")
        thread.start()
        try:
            host, port = running.addresses[0]
            yield f"{host}:{port}"
        finally:
            running.stop()
            thread.join(60)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where somebody listens and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


def settings(*reflectors: str, more: str = "") -> str:
    return more + HEADQUARTERS.format(reflectors=", ".join(f'"{r}"' for r in reflectors))


@pytest.fixture
def doctor(operator: Any) -> Callable[..., Result]:
    """Calls the doctor on the operator's settings, in this process."""

    def called(*arguments: str, data: Path | None = None) -> Result:
        place = ["--config", str(operator.config), "--data", str(data or operator.data)]
        done = CliRunner().invoke(main, ["doctor", *place, *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return called


def findings(done: Result) -> dict[str, dict[str, str]]:
    return {finding["subject"]: finding for finding in json.loads(done.stdout)}


def test_all_is_well(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """With a reflector that answers and nothing damaged it ends with 0, and says how fast the answer came."""
    operator.write(settings(reflector))
    done = doctor("--lang", "en")
    assert done.exit_code == 0, done.output
    assert "■" not in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "reflector of state" in line]
    assert line.startswith("● fine")
    assert f"{reflector} answers in " in line
    assert not operator.data.exists(), "looking makes nothing"


def test_json_has_a_finding_each(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """As JSON: one object a subject, with level, text and, unless fine, a remedy."""
    operator.write(settings(reflector))
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    found = findings(done)
    expected = {"python", "clock", "time stamps", "ping", "data", "broker", "store", "decisions", "people"}
    assert found.keys() == expected | {"reflector of state"}
    for finding in found.values():
        assert finding["level"] in {"fine", "less", "broken"}
        assert bool(finding.get("remedy")) == (finding["level"] != "fine"), finding


def test_a_silent_reflector(
    operator: Any, doctor: Callable[..., Result], reflector: str, nobody: str
) -> None:
    """A reflector that does not answer is broken, the one beside it is not; status 1."""
    operator.write(settings(reflector, nobody))
    done = doctor("--lang", "en")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    (broken,) = [i for i, line in enumerate(lines) if line.startswith("■ broken")]
    assert lines[broken].endswith(f"reflector of state: {nobody} does not answer")
    assert "tatpar reflect" in lines[broken + 1]
    assert any(f"{reflector} answers" in line for line in lines)


def test_a_closed_reflector(operator: Any, doctor: Callable[..., Result]) -> None:
    """A port that nobody listens on is broken too, without waiting for it."""
    operator.write(settings(f"127.0.0.1:{free_port()}"))
    done = doctor("--json")
    assert done.exit_code == 1
    assert findings(done)["reflector of state"]["level"] == "broken"


def test_a_reflector_without_a_name(operator: Any, doctor: Callable[..., Result]) -> None:
    """A name that is unknown is said as such."""
    operator.write(settings("reflector.invalid:862"))
    done = doctor("--json")
    assert done.exit_code == 1
    assert "name is not known" in findings(done)["reflector of state"]["text"]


def test_placeholders_before_the_first_start(operator: Any, doctor: Callable[..., Result]) -> None:
    """Nothing is broken where nothing has begun: they are called what they are, with what comes next; a hub at work misses them."""
    operator.write(settings("reflector-1.state.example:862", "reflector-2.state.EXAMPLE:862"))
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    found = findings(done)
    assert (found["reflectors"]["level"], found["reflectors"]["text"]) == (
        "less",
        "reflector-1.state.example:862, reflector-2.state.EXAMPLE:862: placeholders, so that nobody is measured to yet",
    )
    assert "make run" in found["reflectors"]["remedy"]
    assert "[[headquarters]]" in found["reflectors"]["remedy"]
    assert "reflector of state" not in found
    StateDb(operator.data / "state.db").close()
    done = doctor("--json")
    assert done.exit_code == 1
    assert "placeholder" in findings(done)["reflector of state"]["text"]


def test_an_unknown_reflector_beside_placeholders_is_broken(
    operator: Any, doctor: Callable[..., Result]
) -> None:
    """What the operator named is asked also before the first start."""
    operator.write(settings("reflector-1.state.example:862", "reflector.invalid:862"))
    done = doctor("--json")
    assert done.exit_code == 1
    assert findings(done)["reflectors"]["level"] == "less"
    assert "name is not known" in findings(done)["reflector of state"]["text"]


def test_an_echo_is_no_reflector(operator: Any, doctor: Callable[..., Result]) -> None:
    """What sends our own packet back is not taken for a reflector."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(60)

        def echo() -> None:
            for _ in range(3):
                data, sender = sock.recvfrom(2048)
                sock.sendto(data, sender)

        thread = threading.Thread(target=echo, name="echo")
        thread.start()
        operator.write(settings(f"127.0.0.1:{sock.getsockname()[1]}"))
        done = doctor("--json")
        thread.join(60)
    assert done.exit_code == 1
    assert findings(done)["reflector of state"]["level"] == "broken"


def test_a_slow_reflector_answers(operator: Any, doctor: Callable[..., Result]) -> None:
    """An answer that comes after the next question still is one: a far line is slow, not dead."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(60)

        def answer_late() -> None:
            first, sender = sock.recvfrom(2048)
            sock.recvfrom(2048)  # the second question has come before the first is answered
            sequence, t1 = struct.unpack_from("!IQ", first)
            sock.sendto(
                struct.pack("!IQHHQIQHHB3x", 0, 1 << 40, 1, 0, 1 << 40, sequence, t1, 1, 0, 64), sender
            )

        thread = threading.Thread(target=answer_late, name="slow reflector")
        thread.start()
        operator.write(settings(f"127.0.0.1:{sock.getsockname()[1]}"))
        done = doctor("--json")
        thread.join(60)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    "content",
    [b"this is no database, it is a letter to the editor" * 20, b"SQLite format 3\0" + b"\xff" * 4096],
)
def test_a_broken_store(operator: Any, doctor: Callable[..., Result], reflector: str, content: bytes) -> None:
    """A store file that is none is broken, with what to do; the rest is examined all the same."""
    operator.write(settings(reflector))
    operator.data.mkdir()
    (operator.data / "reports.db").write_bytes(content)
    (operator.data / "state.db").write_bytes(content)
    done = doctor("--json")
    assert done.exit_code == 1
    found = findings(done)
    assert found["store"]["level"] == found["decisions"]["level"] == "broken"
    assert "reports.db" in found["store"]["text"]
    assert "state.db" in found["decisions"]["text"]
    assert found["reflector of state"]["level"] == "fine"
    assert (operator.data / "reports.db").read_bytes() == content, "looking changes nothing"


def test_a_store_of_another_program(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """A database that is not ours is broken and left as it is."""
    operator.write(settings(reflector))
    operator.data.mkdir()
    connection = sqlite3.connect(operator.data / "reports.db")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    done = doctor("--json")
    assert done.exit_code == 1, done.output
    assert findings(done)["store"]["level"] == "broken"


def test_a_data_folder_that_cannot_be(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """A file stands where the data folder's parent should be: broken, and --data is named."""
    operator.write(settings(reflector))
    (operator.folder / "taken").write_text("a file", encoding="utf-8")
    done = doctor("--json", data=operator.folder / "taken" / "data")
    assert done.exit_code == 1
    found = findings(done)["data"]
    assert found["level"] == "broken"
    assert "--data" in found["remedy"]


def test_no_broker(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """A broker that is to run elsewhere and does not is broken; where it was sought is said."""
    port = free_port()
    operator.write(settings(reflector, more=f'[broker]\nbring = "none"\nport = {port}\n'))
    done = doctor("--json")
    assert done.exit_code == 1
    found = findings(done)["broker"]
    assert found["level"] == "broken"
    assert f"127.0.0.1:{port}" in found["text"]
    assert "broker.port" in found["remedy"]


@pytest.mark.server
def test_a_broker_elsewhere(
    operator: Any, doctor: Callable[..., Result], reflector: str, mosquitto: Any
) -> None:
    """A broker that runs elsewhere and answers is fine."""
    operator.write(settings(reflector, more=f'[broker]\nbring = "none"\nport = {mosquitto.port}\n'))
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    assert findings(done)["broker"]["text"].endswith(f":{mosquitto.port} answers")


def test_who_is_at_work(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """A room whose heartbeat stopped is named, without being broken; one that beats is at work."""
    operator.write(settings(reflector))
    now_ns = time.time_ns()
    state = StateDb(operator.data / "state.db")
    state.beat("watch", now_ns - 300 * SECOND_NS, {})
    state.beat("collector", now_ns, {})
    state.close()
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    found = findings(done)
    assert (found["watch"]["level"], found["collector"]["level"]) == ("less", "fine")
    said = re.search(r"silent for (\d+)", found["watch"]["text"])
    assert said is not None
    assert 300 <= int(said[1]) <= 300 + seconds_since(now_ns)


def test_what_was_refused(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """Refused messages are counted by kind, with the command that shows them; that breaks nothing."""
    operator.write(settings(reflector))
    state = StateDb(operator.data / "state.db")
    state.beat("collector", time.time_ns(), {"refused": {"malformed": 12, "foreign": 1}})
    state.close()
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    found = findings(done)["collector refused"]
    assert (found["level"], found["text"]) == ("less", "messages since its start: 1 foreign, 12 malformed")
    assert "tatpar refused" in found["remedy"]


def test_a_site_with_too_many_probes(operator: Any, doctor: Callable[..., Result], reflector: str) -> None:
    """Probes that are told no plan now are said, with the site; that breaks nothing. What was once is no news."""
    operator.write(settings(reflector))
    told = {"plans_withheld": 3, "withheld_sites": 5, "withheld": {"agra": "p65", "etah": "x"}}
    state = StateDb(operator.data / "state.db")
    state.beat("collector", time.time_ns(), told)
    done = doctor("--json")
    assert done.exit_code == 0, done.output
    found = findings(done)["collector plans"]
    assert (found["level"], found["text"]) == (
        "less",
        "more than 64 probes speak for agra (the last one: p65), etah (the last one: x) and 3 more sites: those above get no plan",
    )
    state.beat("collector", time.time_ns(), told | {"withheld_sites": 0, "withheld": {}})
    assert "collector plans" not in findings(doctor("--json"))
    state.beat("collector", time.time_ns() - 300 * SECOND_NS, told)
    state.close()
    assert "collector plans" not in findings(doctor("--json"))


def test_a_room_that_fails_again_and_again(
    operator: Any, doctor: Callable[..., Result], reflector: str
) -> None:
    """A room that fails and beats in between is broken, with why and how often, and the doctor ends with 1."""
    operator.write(settings(reflector))
    now_ns = time.time_ns()
    state = StateDb(operator.data / "state.db")
    state.beat("watch", now_ns, {})
    state.beat("collector", now_ns, {})
    failure = Failure("watch", 7, 30.0, OverflowError("cannot convert"))
    note_failure(state, failure, now_ns - 20 * SECOND_NS)
    note_failure(state, Failure("wall", 1, 1.0), now_ns - 900 * SECOND_NS)
    state.close()
    done = doctor("--json")
    assert done.exit_code == 1, done.output
    found = findings(done)
    assert found["watch"]["level"] == "broken"
    said = re.fullmatch(
        r"failing, 7 times since the start, last (\d+) s ago: OverflowError: cannot convert",
        found["watch"]["text"],
    )
    assert said is not None
    assert 20 <= int(said[1]) <= 20 + seconds_since(now_ns)
    assert found["collector"]["level"] == "fine"
    assert found["wall (earlier)"]["level"] == "less"
    assert not [subject for subject in found if ":" in subject]


def test_wrong_settings_are_told_in_a_line(operator: Any, doctor: Callable[..., Result]) -> None:
    """Settings that cannot be read end it with 2 and the file's own line."""
    operator.write("[wall]\nport = 'high'\n")
    done = doctor()
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert "tatpar.toml" in line
    assert not done.stdout


def test_offices_of_which_nobody_would_be_told(
    operator: Any, doctor: Callable[..., Result], reflector: str
) -> None:
    """An office without a contact, and nobody on any rung for it: named, and what to write; with a NOC desk it is fine.

    An organiser of a meeting that is in the calendar no more is told, and refuses nothing.
    """
    operator.write(settings(reflector, more='[alerts]\nsmtp_host = "mail.hq.example"\n'))
    beside = operator.config.parent
    heading = "id,name_en,name_hi,region,lat,lon,status\n"
    (beside / "sites.csv").write_text(heading + "agra,Agra,आगरा,braj,27,78,linked\n", encoding="utf-8")
    alone = findings(doctor("--json"))["people"]
    assert (alone["level"], alone["text"]) == ("less", "nobody would be told of agra")
    desk = "id,name,role,about,email\nnoc,NOC,noc,all,noc@office.example\nasha,A,in_charge,all,\n"
    (beside / "people.csv").write_text(desk, encoding="utf-8")
    assert findings(doctor("--json"))["people"]["text"].startswith(
        "no address on any of their channels: asha"
    )
    (beside / "people.csv").write_text(desk.rpartition("asha")[0], encoding="utf-8")
    assert findings(doctor("--json"))["people"]["level"] == "fine"
    organiser = (
        "id,name,role,about,email,meetings\nnoc,NOC,noc,all,noc@office.example,\n"
        "olga,O,organiser,all,o@office.example,gone@office.example\n"
    )
    (beside / "people.csv").write_text(organiser, encoding="utf-8")
    assert "gone@office.example" in findings(doctor("--json"))["people"]["text"]
