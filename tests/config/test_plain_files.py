"""Whatever a user names that is no plain file is refused in one line at once: nothing waits, nothing is read without end."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from collector.enrolment.private_files import write_private as at_the_hub
from config.plain_file import NotPlainError, must_be_plain, read_plain
from probes.enrolment.credentials import CredentialsError
from probes.enrolment.credentials import write_private as at_the_office
from tatpar.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDLESS = Path("/dev/zero")
KINDS = ("device", "pipe")


@contextmanager
def given_up_after(seconds: int) -> Iterator[None]:
    """A hang ends here instead of with the whole run."""

    def stop(*_: object) -> None:
        pytest.fail("it waits, or reads without end")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=KINDS)
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Something that is no plain file: it has no end, or no beginning."""
    path = tmp_path / "bad.csv"
    if request.param == "device":
        path.symlink_to(ENDLESS)
    else:
        os.mkfifo(path)
    return path


@pytest.mark.parametrize("key", ["sites", "profiles", "meetings", "works", "people"])
def test_every_file_of_the_settings(bad: Path, tmp_path: Path, key: str) -> None:
    """One line, status 2."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text(f"[files]\n{key} = '{bad}'\n", encoding="utf-8")
    with given_up_after(60):
        done = CliRunner().invoke(main, ["sites", "--check", "--config", str(settings)])
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    assert str(bad) in done.output


COMMANDS = {
    "settings": ["sites", "--config", "BAD"],
    "authority": ["sites", "--config", "SETTINGS"],
    "capture": ["call", "BAD"],
    "mapping": ["history", "import", "GOOD", "--mapping", "BAD"],
    "history": ["history", "import", "BAD", "--mapping", "MAPPING", "--data", "DATA"],
    "history, packed": ["history", "import", "BAD.gz", "--mapping", "MAPPING", "--data", "DATA"],
    "history, parquet": ["history", "import", "BAD.parquet", "--mapping", "MAPPING", "--data", "DATA"],
    "trace": ["changes", "BAD"],
    "probe's settings": ["probe", "--config", "BAD", "--data", "DATA"],
    "enrolment": ["probe", "--enrolment", "BAD", "--data", "DATA"],
    "reflector's keys": ["reflect", "--bind", "127.0.0.1:0", "--keys", "BAD"],
    "export": ["store", "import", "EXPORT", "--data", "DATA"],
    "backup": ["store", "restore", "BACKUP", "--data", "NEW"],
    "backup, verified": ["store", "verify", "BACKUP"],
}


@pytest.mark.parametrize("what", COMMANDS)
def test_every_file_that_a_command_is_given(bad: Path, tmp_path: Path, what: str) -> None:
    """One line that names it; nothing hangs."""
    names = {"BAD": bad, "DATA": tmp_path / "data", "NEW": tmp_path / "new"}
    for ending in ("gz", "parquet"):
        names[f"BAD.{ending}"] = tmp_path / f"bad.{ending}"
        names[f"BAD.{ending}"].symlink_to(bad)
    names["DATA"].mkdir()
    names["MAPPING"] = tmp_path / "mapping.toml"
    names["MAPPING"].write_text(
        '[file]\nform = "csv"\n[time]\ncolumn = "t"\nform = "s"\n[site]\nvalue = "agra"\n'
        '[ping]\nrtt = { column = "r", unit = "ms" }\n',
        encoding="utf-8",
    )
    if what.endswith("parquet"):
        names["MAPPING"].write_text(
            names["MAPPING"].read_text(encoding="utf-8").replace('"csv"', '"parquet"'), encoding="utf-8"
        )
    names["GOOD"] = tmp_path / "good.csv"
    names["GOOD"].write_text("t,r\n", encoding="utf-8")
    names["SETTINGS"] = tmp_path / "tatpar.toml"
    names["SETTINGS"].write_text(f"[broker]\nca = '{bad}'\n", encoding="utf-8")
    for folder, name in (("EXPORT", "windows-2026-01-01.parquet"), ("BACKUP", "manifest.json")):
        names[folder] = tmp_path / folder.lower()
        names[folder].mkdir()
        (names[folder] / name).symlink_to(bad)
    with given_up_after(60):
        done = CliRunner().invoke(main, [str(names.get(word, word)) for word in COMMANDS[what]])
    lines = [line for line in done.output.splitlines() if line.strip()]
    assert done.exit_code in {1, 2}, done.output
    assert len(lines) == 1, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_plain_files_are_read_up_to_their_limit(tmp_path: Path) -> None:
    """To the last byte that is allowed, also where the size is not told beforehand."""
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_plain(path, 5) == b"12345"
    with pytest.raises(NotPlainError, match="larger than"):
        read_plain(path, 4)
    with path.open("wb") as file:
        file.truncate(10**12)
    with given_up_after(60), pytest.raises(NotPlainError, match="larger than 64 MB"):
        read_plain(path)
    with pytest.raises(IsADirectoryError):
        must_be_plain(tmp_path)
    assert read_plain(Path("/proc/self/status")).startswith(b"Name:")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
        with pytest.raises(OSError, match=r"socket|No such device"):
            must_be_plain(tmp_path / "s")


def test_what_would_make_one_wait_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's log counts as a plain file, and whoever reads it waits for the next line."""
    reads, writes = os.pipe()
    monkeypatch.setattr("config.plain_file._check", lambda *_: None)
    with given_up_after(60), pytest.raises(NotPlainError, match="without waiting"):
        read_plain(Path(f"/proc/self/fd/{reads}"))
    os.close(reads)
    os.close(writes)


@pytest.mark.parametrize("what", ["pipe", "socket", "link", "link to nowhere", "folder"])
def test_only_a_plain_file_is_replaced(tmp_path: Path, what: str) -> None:
    """Hub and office alike: whatever else has the name stays, in one line, and nothing is left beside it."""
    path = tmp_path / "there"
    _put(path, what)
    before = path.lstat().st_ino
    with pytest.raises((NotPlainError, IsADirectoryError)):
        at_the_hub(path, b"secret")
    with pytest.raises(CredentialsError, match="there: "):
        at_the_office(path, b"secret")
    assert path.lstat().st_ino == before
    assert {found.name for found in tmp_path.iterdir()} <= {"there", "target"}
    assert not (tmp_path / "target").exists() or (tmp_path / "target").read_bytes() == b"another's"


def test_a_plain_file_and_an_empty_place_are_written(tmp_path: Path) -> None:
    """At once, for us alone."""
    for write in (at_the_hub, at_the_office):
        path = tmp_path / write.__module__
        write(path, b"old")
        write(path, b"new")
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)


def _put(path: Path, what: str) -> None:
    if what == "pipe":
        os.mkfifo(path)
    elif what == "socket":
        with (
            socket.socket(socket.AF_UNIX) as bound,
            chdir(path.parent),
        ):  # its own path may be too long for one
            bound.bind(path.name)
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.with_name("target"))
        if what == "link":
            path.with_name("target").write_bytes(b"another's")
