"""`probe.toml` and `tatpar probe`: what the operator reads when something is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

import config
from config.errors import ConfigError
from probes.publishing.office_settings import BacklogPace, OfficeSettings, SpoolLimits
from probes.publishing.probe_file import ProbeTables, load_probe_file
from probes.publishing.spool import Spool
from tatpar.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = Path(config.__file__).parent / "defaults" / "probe.toml"
LEAST = 'site = "agra"\n[broker]\nhost = "127.0.0.1"\n'


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def put(text: str) -> Path:
        file = tmp_path / "probe.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return put


def test_reference_file_holds_every_key_with_its_default() -> None:
    """The documented file is complete, and each value in it is what holds without it."""
    tables = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
    documented = msgspec.convert(tables, ProbeTables)
    bare = msgspec.convert(tomllib.loads(LEAST), ProbeTables)
    assert documented == bare
    for field in msgspec.structs.fields(ProbeTables):
        table = tables[field.name]
        nested = getattr(bare, field.name)
        if isinstance(nested, msgspec.Struct):
            assert set(table) == set(nested.__struct_fields__), field.name


def test_least_file_is_enough(write: Callable[[str], Path], tmp_path: Path) -> None:
    """Site and broker are enough; everything else has its default, and the spool lies in the data folder."""
    assert load_probe_file(write(LEAST), tmp_path / "data") == OfficeSettings(
        site="agra",
        probe="p1",
        broker_host="127.0.0.1",
        broker_port=1883,
        spool=tmp_path / "data" / "spool" / "agra.db",
    )


def test_every_key_arrives(write: Callable[[str], Path], tmp_path: Path) -> None:
    """Each key of the file reaches the agent; the password file is read beside the settings."""
    (tmp_path / "secret").write_text("the password\nnot this\n", encoding="utf-8")
    office = load_probe_file(
        write(
            'site = "a-1"\nprobe = "p9"\n[broker]\nhost = "h"\ninsecure = true\nport = 8883\nuser = "u"\npassword_file = "secret"\n'
            'root = "x/y/z"\n[ends]\nstate = "10.0.0.1:862"\n"backup.state" = "[::1]:1"\n[ping]\ntargets = []\n'
            '[link]\ninterface = ""\n[spool]\ndays = 0.5\nmegabytes = 7\n[backlog]\nper_second = 3\n'
            'per_second_in_meeting = 0.5\n[stamp]\ndscp = 46\ntimestamps = "ptp"\n'
        ),
        Path("d"),
    )
    assert office == OfficeSettings(
        site="a-1",
        probe="p9",
        broker_host="h",
        broker_port=8883,
        user="u",
        password="the password",
        root="x/y/z",
        spool=Path("d/spool/a-1.db"),
        ends={"state": "10.0.0.1:862", "backup.state": "[::1]:1"},
        ping_targets=(),
        interface="",
        spool_limits=SpoolLimits(max_reports=2880, max_bytes=7_000_000),
        backlog=BacklogPace(per_second=3.0, per_second_in_meeting=0.5),
        dscp=46,
        ptp=True,
    )
    assert "the password" not in repr(office)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('site = "Agra"\n[broker]\nhost = "h"\n', ':1: site is "Agra", but an id is lower-case letters, digits and inner hyphens, at most 63; write "agra"'),
        ('site = "agra"\n[broker]\nprt = 1\nhost = "h"\n', ':3: broker has no key "prt"; write "port"'),
        ('site = "agra"\n[broker]\nport = 1883\n', ':2: broker has no "host"; '),
        ('site = "agra"\n[broker]\nhost = "h"\nport = 0\n', ":4: broker.port is 0; write a whole number from 1 to 65,535"),
        ('site = "agra"\n[broker]\nhost = "h"\nroot = "tatpar/#"\n', ':4: broker.root is "tatpar/#"; write levels without + # $, as "tatpar/1"'),
        (LEAST + '[ends]\nstate = "10.0.0.1"\n', ':5: ends.state is "10.0.0.1"; write host:port in quotes, as "10.20.0.5:862"'),
        (LEAST + "[ends]\nstate = 862\n", ":5: ends.state is 862; write host:port in quotes"),
        (LEAST + '[ends]\n"Main.State" = "h:1"\n', ':5: ends has "Main.State"; write an end, or "uplink.end"'),
        (LEAST + '[ping]\ntargets = ["everybody"]\n', ':5: ping.targets 1 is "everybody"; write "ends" or "gateway"'),
        (LEAST + '[reach]\nroom = ["10.1.2.3"]\n', ':5: reach.room has "10.1.2.3"; write sip:HOST, sip+tcp:HOST'),
        (LEAST + '[reach]\nedges = ["tls:a", "tls:b", "tls:c", "tls:d", "tls:e"]\n', ":5: reach.edges has 5 entries; keep at most 4"),
        (LEAST + '[call]\nhosts = ["10.1.2"]\n', ":5: call.hosts: '10.1.2' does not appear to be an IPv4 or IPv6 network; write addresses or networks"),
        (LEAST + '[call]\nports = ["8810-8801"]\n', ":5: call.ports: '8810-8801' is no range of ports from 1 to 65535; write ports or ranges"),
        (LEAST + "[stamp]\ndscp = 64\n", ":5: stamp.dscp is 64; write a whole number from 0 to 63"),
        (LEAST + '[stamp]\ntimestamps = "gps"\n', ':5: stamp.timestamps is "gps"; write "ntp" or "ptp"'),
        (LEAST + "[spool]\ndays = 0\n", ":5: spool.days is 0; write a number from 0.001 to 3,650"),
        (LEAST + "[backlog]\nper_second = -1\n", ":5: backlog.per_second is -1; write a number from 0.01 to 1,000"),
        (LEAST + 'password = "a"\npassword_file = "b"\n', ":4: broker has a password and a password_file; keep one of the two"),
        (LEAST + 'ca = "none.pem"\n', ':4: broker.ca is "none.pem": there is no such file; '),
        (LEAST + 'ca = "probe.toml"\n', ':4: broker.ca is "probe.toml": it holds no certificate; '),
        ('site = "agra"\nsite = "agra"\n', ":2: the key stands here for the second time; keep one of the two"),
    ],
)  # fmt: skip
def test_broken_files_are_explained(write: Callable[[str], Path], text: str, line: str) -> None:
    """Each mistake is one line: where, what, and what to write instead."""
    file = write(text)
    with pytest.raises(ConfigError, match=re.escape(f"{file}{line}")):
        load_probe_file(file, Path("d"))


def test_missing_password_file_is_named(write: Callable[[str], Path], tmp_path: Path) -> None:
    """A password file that is not there is named."""
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / 'gone'}: there is no such file")):
        load_probe_file(write(LEAST + 'password_file = "gone"\n'), Path("d"))


def test_command_tells_a_wrong_file_with_status_2(write: Callable[[str], Path], tmp_path: Path) -> None:
    """Wrong settings end with status 2 and one line; --check of right ones says what they mean and ends with 0."""
    wrong = CliRunner().invoke(main, ["probe", "--config", str(write("site = 1\n"))])
    assert wrong.exit_code == 2
    assert wrong.stderr.count("\n") == 1
    missing = CliRunner().invoke(main, ["probe", "--config", str(tmp_path / "none.toml")])
    assert missing.exit_code == 2
    right = CliRunner().invoke(
        main, ["probe", "--config", str(write(LEAST)), "--check", "--data", str(tmp_path)]
    )
    assert right.exit_code == 0
    assert right.stdout == (
        f"agra/p1: broker 127.0.0.1:1883 (no TLS), ends: those of the hub's plan, spool {tmp_path}/spool/agra.db\n"
    )


def test_second_probe_on_the_same_spool_ends_with_status_1(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    """A probe that is started twice says so in one line and ends with status 1."""
    running = Spool(tmp_path / "data" / "spool" / "agra.db", site="agra", probe="p1")
    result = CliRunner().invoke(
        main, ["probe", "--config", str(write(LEAST)), "--data", str(tmp_path / "data")]
    )
    running.close()
    assert result.exit_code == 1
    assert "another agent has this spool open" in result.stderr
    assert result.stderr.count("\n") == 1
