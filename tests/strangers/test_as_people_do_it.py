"""The whole of it by the commands that people type: enrol, redeem, command, rotate, revoke, doctor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.identity import enrolling
from telemetry.state.db import StateDb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Run = Any


@pytest.fixture
def operator(tmp_path: Path, unused_ports: Callable[[int], list[int]]) -> Path:
    """A settings file with a door for offices on this machine."""
    public, desk, reflector = unused_ports(3)
    (tmp_path / "sites.csv").write_text(
        "id,name_en,name_hi,region,lat,lon,status\nagra,Agra,आगरा,west,27.18,78.02,linked\n"
        "meerut,Meerut,मेरठ,west,28.98,77.71,planned\n",
        encoding="utf-8",
    )
    (tmp_path / "meetings").mkdir()
    file = tmp_path / "tatpar.toml"
    file.write_text(
        f'[broker]\nbring = "mosquitto"\npublic_host = "127.0.0.1"\npublic_port = {public}\npublic_names = ["localhost"]\n'
        f"[enrolment]\nport = {desk}\n[wall]\nport = 0\n"
        f'[[headquarters]]\nid = "state"\nname_en = "State"\nname_hi = "राज्य"\nreflectors = ["127.0.0.1:{reflector}"]\n',
        encoding="utf-8",
    )
    return file


@pytest.fixture
def tatpar(operator: Path) -> Run:
    """Runs a command in this process, with the operator's settings and data."""

    def run(*arguments: str) -> Any:
        place = ["--config", str(operator), "--data", str(operator.parent / "data")]
        return CliRunner().invoke(main, [*arguments, *place])

    return run


@pytest.fixture
def start(operator: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a command as a process; all are ended with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(log: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (operator.parent / log).open("wb") as output:
            command = [sys.executable, "-m", "tatpar", *arguments]
            running.append(subprocess.Popen(command, stdout=output, stderr=output, cwd=operator.parent))
        return running[-1]

    yield begin
    for process in reversed(running):
        process.terminate()
    for process in reversed(running):
        process.wait(60)


def wait_until(met: Callable[[], object], log: Path, within_s: float = 300.0) -> None:
    end = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.1)


@pytest.mark.server
def test_an_office_from_enrolment_to_revocation(operator: Path, tatpar: Run, start: Any) -> None:
    """A hub, an office that has only its file, a command answered, keys changed while running, and the end of it."""
    folder = operator.parent
    start("up.log", "up", "--config", str(operator), "--data", str(folder / "data"))
    wait_until(lambda: b"connected to the broker" in (folder / "up.log").read_bytes(), folder / "up.log")
    file = folder / "agra.toml"
    enrolled = tatpar("enroll", "agra", "--out", str(file), "--valid", "30m")
    assert (enrolled.exit_code, enrolled.stderr) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "password" not in file.read_text(encoding="utf-8")
    start("probe.log", "probe", "--enrolment", str(file), "--data", str(folder / "office"))
    with closing(StateDb(folder / "data" / "state.db")) as state:
        wait_until(
            lambda: (seen := state.presence().get(("agra", "p1"))) and seen.online, folder / "probe.log"
        )
    told = tatpar("command", "agra", "status", "--json")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    assert (answer["ok"], answer["verb"]) == (True, "status")
    assert answer["delay_ms"] > 0
    rotated = tatpar("enroll", "agra", "--rotate")
    assert rotated.exit_code == 0, rotated.output
    assert "agra/p1: generation 2 in use" in rotated.stdout
    kept = json.loads((folder / "office" / "credentials.json").read_text(encoding="utf-8"))
    assert kept["language"] == "hi", "the deployment's, for the office's own doctor"
    listed = json.loads(tatpar("enroll", "list", "--json").stdout)
    assert [(row["site"], row["standing"], row["generation"]) for row in listed] == [("agra", "enrolled", 2)]

    def examined() -> dict[str, dict[str, str]]:
        return {line["subject"]: line for line in json.loads(tatpar("doctor", "--json").stdout)}

    # the user of before is gone from the broker's door when the hub next looks at it
    wait_until(lambda: "in step" in examined()["broker's access"]["text"], folder / "up.log")
    found = examined()
    for subject in (
        "authority",
        "certificate of the broker",
        "certificate of the desk",
        "listener for offices",
    ):
        assert found[subject]["level"] == "fine", found[subject]
    assert found["broker's access"]["text"] == "1 users of probes, in step with the state database"
    assert found["enrolments"]["text"] == "1 probes enrolled, 0 invited"
    assert tatpar("revoke", "agra", "--lang", "en").stdout == "revoked: agra/p1\n"
    refused = tatpar("command", "agra", "ping", "--lang", "en")
    assert refused.exit_code == 2
    assert refused.stderr == "agra/p1 is revoked; tatpar enroll agra --probe p1 lets it in again\n"
    wait_until(
        lambda: b"refuses us: Not authorized" in (folder / "probe.log").read_bytes(), folder / "probe.log"
    )


@pytest.mark.server
def test_the_desk_as_a_process_of_its_own(
    operator: Path, tatpar: Run, start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the parts of the hub run apart: the office gets its settings from it, and it ends in order."""
    monkeypatch.setattr(enrolling, "APPLIED_WITHIN_S", 0.1)
    assert tatpar("enroll", "agra", "--out", str(tmp_path / "a.toml")).exit_code == 0
    desk = start("desk.log", "enroll", "--desk", "--config", str(operator), "--data", str(tmp_path / "data"))
    wait_until(
        lambda: b"enrolment desk: localhost:" in (tmp_path / "desk.log").read_bytes(), tmp_path / "desk.log"
    )
    check = ["probe", "--enrolment", str(tmp_path / "a.toml"), "--data", str(tmp_path / "office"), "--check"]
    for _ in range(2):  # the second time nothing is redeemed
        result = CliRunner().invoke(main, check)
        assert result.exit_code == 0, result.output
        assert "agra/p1: broker localhost:" in result.stdout
        assert "(TLS)" in result.stdout
    desk.terminate()
    assert desk.wait(60) == 0
    assert b"Traceback" not in (tmp_path / "desk.log").read_bytes()


def test_what_cannot_be_enrolled_is_explained(operator: Path, tatpar: Run, tmp_path: Path) -> None:
    """Status 2 and one line each: unknown office, wrong probe, wrong span, enrolled already, nothing to revoke."""
    out = ("--out", str(tmp_path / "o.toml"))
    for arguments, words in [
        (("enroll", "agraa", *out), 'write "agra"'),
        (("enroll", "agra", "--probe", "../x", *out), "--probe: '../x' cannot be an id"),
        (
            ("enroll", "agra", "--valid", "2w", *out),
            "--valid: '2w' is no span of at most 90 days; write it as 48h",
        ),
        (("enroll", "agra", "--out", "/nowhere/o.toml"), "--out: no file can be written in /nowhere"),
        (("enroll",), "SITE is missing: write an office's id, or list"),
        (("enroll", "agra", "--rotate", "--renew"), "for one that lost them: write one"),
        (("enroll", "agra", "--rotate"), "agra/p1 is not enrolled; tatpar enroll agra"),
        (("revoke", "agra"), "agra has no credentials that could be ended; see: tatpar enroll list"),
        (("command", "agra"), "VERB is missing"),
        (("command", "agra", "ping", "loud"), "'loud' is no argument; write key=value"),
        (("command", "agra", "rotate"), "new keys are given by: tatpar enroll agra --probe p1 --rotate"),
    ]:
        result = tatpar(*arguments, "--lang", "en")
        assert result.exit_code == 2, arguments
        assert words in result.stderr
        assert result.stderr.count("\n") == 1
    from collector.enrolment import doorkeeper

    assert doorkeeper.applied(operator.parent / "data") is None
    without = operator.with_name("plain.toml")
    without.write_text("", encoding="utf-8")
    result = CliRunner().invoke(
        main, ["enroll", "agra", "--config", str(without), "--data", str(tmp_path / "d"), *out]
    )
    assert (result.exit_code, "there is no enrolment desk" in result.stderr) == (2, True)


def test_a_file_for_a_hub_that_does_not_run_yet(
    tatpar: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written, and that the broker is not told yet is said; a second needs --renew; the access list can be had."""
    monkeypatch.setattr(enrolling, "APPLIED_WITHIN_S", 0.1)
    out = ("--out", str(tmp_path / "o.toml"))
    first = tatpar("enroll", "agra", *out, "--lang", "en")
    assert (first.exit_code, first.stderr) == (
        0,
        "note: the hub does not run; the broker is told when it starts\n",
    )
    again = tatpar("enroll", "agra", *out, "--lang", "en")
    assert (again.exit_code, "agra/p1 is invited already; --renew for another file" in again.stderr) == (
        2,
        True,
    )
    old = (tmp_path / "o.toml").read_text(encoding="utf-8")
    other = tatpar("enroll", "meerut", *out)
    assert (other.exit_code, "o.toml is there already, perhaps another office's" in other.stderr) == (2, True)
    assert (tmp_path / "o.toml").read_text(encoding="utf-8") == old
    assert tatpar("enroll", "agra", "--renew", *out).exit_code == 0
    assert (tmp_path / "o.toml").read_text(encoding="utf-8") != old
    access = tatpar("enroll", "--acl").stdout
    assert "user agra.p1.2\ntopic write tatpar/1/agra/p1/report\n" in access
    assert "agra.p1.1" not in access
    note = tatpar("enroll", "meerut", "--out", "-", "--lang", "en")
    assert "note: meerut is planned" in note.stderr
    assert 'hub = ["localhost:' in note.stdout


def test_what_renew_would_write_over_must_be_a_file(tatpar: Run, tmp_path: Path) -> None:
    """A pipe, a link to somebody else's file: one line, nothing is issued, and both stay what they were."""
    pipe, link, other = tmp_path / "pipe", tmp_path / "link", tmp_path / "other"
    os.mkfifo(pipe)
    other.write_text("another's", encoding="utf-8")
    link.symlink_to(other)
    for place, kind in ((pipe, "a pipe"), (link, "a link")):
        done = tatpar("enroll", "agra", "--renew", "--out", str(place))
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr == f"--out: {place}: {kind}, a plain file is needed; name another place\n"
    assert pipe.is_fifo()
    assert (link.is_symlink(), other.read_text(encoding="utf-8")) == (True, "another's")
    assert json.loads(tatpar("enroll", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('pin = "sha256/x"\ntoken = "0123456789abcdef"\n', 'has no "hub"'),
        ('hub = ["x"]\npin = "sha256/x"\ntoken = "0123456789abcdef"\n', ':1: "x" is not host:port; write it as "hub.example:8443"'),
        ('hub = ["x:1"]\npin = "md5/x"\ntoken = "0123456789abcdef"\n', ':2: the pin "md5/x" is none; copy the file from the hub once more'),
        ('hub = ["x:1"]\npin = "sha256/x"\ntoken = "short"\n', ":3: token is"),
        ('hub = ["x:1"]\npin = "sha256/x"\ntoken = "0123456789abcdef"\npassword = ""\n', ':4: there is no key or table "password"'),
    ],
)  # fmt: skip
def test_a_broken_enrolment_file_is_explained(tmp_path: Path, text: str, line: str) -> None:
    """Status 2, one line, before anybody is spoken to."""
    file = tmp_path / "e.toml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(
        main, ["probe", "--enrolment", str(file), "--data", str(tmp_path / "d"), "--check"]
    )
    assert result.exit_code == 2
    assert line in result.stderr


def test_a_probe_without_tls_to_another_machine_is_refused(tmp_path: Path) -> None:
    """At load, with what to do; `insecure = true` is the way round it."""
    file = tmp_path / "probe.toml"
    file.write_text('site = "agra"\n[broker]\nhost = "hub.example"\n', encoding="utf-8")
    check = ["probe", "--config", str(file), "--data", str(tmp_path), "--check"]
    result = CliRunner().invoke(main, check)
    assert result.exit_code == 2
    assert "broker.ca is empty: there would be no TLS; enrol this probe" in result.stderr
    file.write_text(file.read_text(encoding="utf-8") + "insecure = true\n", encoding="utf-8")
    assert CliRunner().invoke(main, check).exit_code == 0


def test_a_lab_without_enrolment_makes_no_identity(tmp_path: Path) -> None:
    """Doctor on a deployment for this machine alone says nothing of certificates and makes no key."""
    result = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path / "d"), "--json"])
    assert "authority" not in [line["subject"] for line in json.loads(result.stdout)]
    assert not Path(tmp_path / "d" / "identity").exists()


def test_doctor_tells_what_is_wrong_with_identity(operator: Path, tmp_path: Path) -> None:
    """Expired, nearly so, other names, files edited by hand, a probe that is enrolled and silent: each with a remedy."""
    from collector.enrolment.authority import Authority
    from collector.enrolment.doorkeeper import Doorkeeper
    from collector.enrolment.issuing import issue, token_hash
    from collector.enrolment.keys import KeyRing
    from config.load import load_config
    from tatpar.examination import identity as examination

    settings, data = load_config(operator).settings, tmp_path / "data"
    now_ns = time.time_ns()

    def found(at_ns: int = now_ns) -> dict[str, tuple[str, str]]:
        lines = list(examination.identity(settings, data, at_ns))
        assert all(bool(line.remedy) == (line.level.value != "fine") for line in lines)
        return {line.subject: (line.level.value, line.text) for line in lines}

    assert found() == {"identity": ("fine", "none yet: it is made at the first start")}
    Doorkeeper(settings.broker, data).close()
    folder = data / "identity"
    with closing(StateDb(data / "state.db")) as state:
        issued = issue(state, KeyRing(folder), "agra", "p1", now_ns=now_ns, valid_ns=10**12)
        state.redeem_token(token_hash(issued.token), b"n", now_ns, 1)
        state.note_identity(now_ns, "x", "x", "agra", "p1")
    first = found()
    assert first["broker's access"] == ("broken", f"{folder / 'acl'} is not what the state database says")
    assert first["certificate of the broker"][0] == "fine"
    assert first["certificate of the desk"] == ("less", "none of our authority's yet")
    assert first["listener for offices"][0] == "less"
    Doorkeeper(settings.broker, data).close()
    later = found(now_ns + 400 * 10**9)
    assert later["broker's access"] == ("fine", "1 users of probes, in step with the state database")
    assert later["enrolments"][1].endswith("silent for over 5 minutes: agra/p1")
    day_ns = 86_400 * 10**9
    assert found(now_ns + 27 * day_ns)["certificate of the broker"] == (
        "less",
        "good for 3.0 days more and not renewed",
    )
    assert found(now_ns + 31 * day_ns)["certificate of the broker"][0] == "broken"
    Authority(folder, now_ns).renew("desk", ["other.example"], now_ns)
    assert found()["certificate of the desk"] == ("less", "is for other.example, the settings say localhost")
    assert found(now_ns + 20 * 365 * day_ns - 30 * day_ns)["authority"][0] == "less"
    (folder / "authority.pem").write_bytes(b"x")
    assert found()["identity"][0] == "broken"
