"""An office that signs takes SSID and key from its credentials, also when they change under it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from config.errors import ConfigError
from probes.enrolment.credentials import Credentials, Login, save_credentials
from probes.measuring.session import Session
from probes.publishing.office_settings import OfficeSettings
from probes.publishing.probe_file import load_probe_file
from probes.publishing.signing_sessions import SessionMarks

if TYPE_CHECKING:
    from pathlib import Path

KEPT = Credentials(
    site="agra", probe="p1", hubs=(), pin="", token_hash="", current=Login(generation=1, user="u", password="p", command_key="00"), ssid=77,
    reflector_key="ab" * 32,
)  # fmt: skip
PLANNED = Session("agra/p1", "main.state", "127.0.0.1", 862, 10.0)


def office(file: Path, *, signed: bool = True) -> OfficeSettings:
    return OfficeSettings(
        site="agra",
        probe="p1",
        broker_host="h",
        broker_port=1,
        spool=file,
        credentials=file,
        signed=signed,
        dscp=46,
    )


def test_sessions_carry_key_and_mark(tmp_path: Path) -> None:
    """The newest key counts; a damaged file leaves the one of before; without `signed` only the mark is put on."""
    file = tmp_path / "credentials.json"
    save_credentials(file, KEPT)
    marks = SessionMarks(office(file))
    (one,) = marks.on([PLANNED])
    assert (one.ssid, one.secret, one.dscp) == (77, b"\xab" * 32, 46)
    file.write_bytes(b"{")
    os.utime(file, ns=(1, 1))
    assert marks.on([PLANNED]) == [one]
    save_credentials(file, msgspec.structs.replace(KEPT, ssid=78, reflector_key="cd" * 32))
    os.utime(file, ns=(2, 2))
    (other,) = marks.on([PLANNED])
    assert (other.ssid, other.secret) == (78, b"\xcd" * 32)
    (plain,) = SessionMarks(office(file, signed=False)).on([PLANNED])
    assert (plain.ssid, plain.secret, plain.dscp) == (0, b"", 46)


def test_the_file_says_whether_to_sign(tmp_path: Path) -> None:
    """`[stamp]` needs credentials to sign with."""
    file = tmp_path / "probe.toml"
    save_credentials(tmp_path / "c.json", KEPT)
    file.write_text(
        'site = "agra"\n[broker]\nhost = "127.0.0.1"\ncredentials = "c.json"\n[stamp]\nsigned = true\ndscp = 34\n'
    )
    found = load_probe_file(file, tmp_path)
    assert (found.signed, found.dscp) == (True, 34)
    file.write_text('site = "agra"\n[broker]\nhost = "127.0.0.1"\n[stamp]\nsigned = true\n')
    with pytest.raises(ConfigError, match="credentials is empty"):
        load_probe_file(file, tmp_path)
