"""The file by which a reflector knows its offices, and the command that takes it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from collector.enrolment.issuing import issue
from config.load import load_config
from probes.reflecting.reflector_keys import ReflectorKeysError, read_keys
from probes.stamp import stamp_auth
from probes.stamp.packets import SenderPacket
from probes.stamp.timestamps import SECOND_NS, ntp64
from tatpar.__main__ import main
from tatpar.identity.enrolling import opened

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(32))


def test_keys_are_read(tmp_path: Path) -> None:
    """Remarks and empty lines are skipped."""
    file = tmp_path / "keys"
    file.write_text(f"# offices\n\n77 {KEY.hex()}  # agra/p1\n65535 {KEY.hex().upper()}\n")
    assert read_keys(file) == {77: KEY, 65535: KEY}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("77", "1 words"), ("77 ab cd", "3 words"), ("0 " + KEY.hex(), "'0' is no SSID"), ("65536 " + KEY.hex(), "no SSID"),
        ("x " + KEY.hex(), "no SSID"), ("77 xyz", "not in hex"), ("77 abcd", "2 octets is too short"),
        (f"76 {KEY.hex()}", "stands there twice"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    """Where, what, and never the key itself; the command ends with 2."""
    file = tmp_path / "keys"
    file.write_text(f"76 {KEY.hex()}\n{line}\n")
    with pytest.raises(ReflectorKeysError, match=f":2: .*{said}") as caught:
        read_keys(file)
    assert KEY.hex() not in str(caught.value)
    done = CliRunner().invoke(main, ["reflect", "--keys", str(file)])
    assert (done.exit_code, said in done.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--signed-only"], "add --keys"), (["--allow", "10.0.0.1/8"], "has host bits set"),
        (["--keys", "/nowhere/keys"], "No such file"),
    ],
)  # fmt: skip
def test_wrong_options_say_what_to_write(arguments: list[str], said: str) -> None:
    """One line and status 2."""
    done = CliRunner().invoke(main, ["reflect", *arguments])
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_the_command_serves_signed_sessions_and_takes_up_new_keys(tmp_path: Path) -> None:
    """`--keys` and `--signed-only`; a broken file changes nothing, and in a new one another office is known, without a signal."""
    file = tmp_path / "keys"
    file.write_text(f"77 {KEY.hex()}\n")
    command = [
        sys.executable,
        "-m",
        "tatpar",
        "reflect",
        "--bind",
        "127.0.0.1:0",
        "--keys",
        str(file),
        "--signed-only",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect(("127.0.0.1", port))
                sock.settimeout(60)
                asked = [
                    stamp_auth.pack_request(SenderPacket(0, ntp64(time.time_ns()), 0x8001, ssid), KEY)
                    for ssid in (77, 78)
                ]
                sock.send(asked[0])
                assert stamp_auth.parse_reply(sock.recv(2048), KEY).ssid == 77
                file.write_text("rubbish\n")
                os.kill(process.pid, signal.SIGHUP)
                assert "the keys stay as they were" in process.stderr.readline()
                (tmp_path / "keys.new").write_text(f"77 {KEY.hex()}\n78 {KEY.hex()}\n")
                (tmp_path / "keys.new").replace(file)
                sock.settimeout(0.5)
                for _ in range(120):  # until the file has been looked at
                    sock.send(asked[1])
                    try:
                        assert stamp_auth.parse_reply(sock.recv(2048), KEY).ssid == 78
                        break
                    except TimeoutError:
                        continue
                else:
                    pytest.fail("the new key was not taken up")
        finally:
            process.terminate()
        assert process.wait(60) == 0


def test_the_hub_prints_the_file_that_the_reflector_reads(tmp_path: Path) -> None:
    """`tatpar enroll --reflector-keys`: SSID and key of every office, as the enrolment hands them out."""
    with opened(load_config(None).settings, tmp_path) as hub:
        made = [
            issue(
                hub.state,
                hub.keys,
                site,
                "p1",
                now_ns=time.time_ns(),
                valid_ns=3600 * SECOND_NS,
                what="enrol",
            )
            for site in ("agra", "banda")
        ]
        wanted = {one.credential.ssid: hub.keys.reflector_key(one.credential) for one in made}
    done = CliRunner().invoke(main, ["enroll", "--reflector-keys", "--data", str(tmp_path)])
    assert done.exit_code == 0, done.output
    file = tmp_path / "keys"
    file.write_text(done.output)
    assert read_keys(file) == wanted
    assert len(wanted) == 2


def test_a_number_without_end_is_one_line(tmp_path: Path) -> None:
    """Python turns no 4,301 digits into a number; the thread that follows the file died of it."""
    (tmp_path / "keys").write_text("9" * 5000 + " " + "ab" * 16)
    with pytest.raises(ReflectorKeysError, match="is no SSID"):
        read_keys(tmp_path / "keys")
