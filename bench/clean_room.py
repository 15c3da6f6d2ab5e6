"""A new account on this machine, with an empty home and without root or sudo: both commands of the README, their time, and what they fetch.

As root: an account is made, this commit is cloned into its home, `make run` runs until the wall answers and is stopped, then `make test` (or
`--tests PATH…`, or `--no-tests`) runs to its end, and the account goes with all it had. It may use what the machine already has (Python, make, git, the servers
that the README names and that `apt-get` would fetch otherwise) and has no right to install any: no capability, no program that gives one
(`setpriv --no-new-privs --bounding-set -all`). Nothing of another user's pip cache is used. Where this machine keeps /dev/net/tun for root, the room has
one of mode 0666, as udev's own rule makes it on a Debian. Sizes: `bench/_downloads.py`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench._downloads import debian_octets, octets_of, packages
from lab.tun.namespaces import TUN

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator

HOUSE: Final = Path(__file__).parent.parent
RUN_LIMIT_S: Final = 900.0
TEST_LIMIT_S: Final = 3600.0
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:\d+/")
_MB: Final = 1e6
_UNPROVED: Final = re.compile(r"^SKIPPED (.+)$", re.MULTILINE)
_INSIDE: Final = re.compile(r"^\d+ tests were proved in a user namespace.*$", re.MULTILINE)


def arguments(parser: ArgumentParser) -> None:
    """What this benchmark may be told."""
    parser.add_argument("--no-tests", action="store_true", help="`make run` only")
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="these tests instead of `make test`")
    parser.add_argument("--keep-log", type=Path, metavar="FILE", help="the output of both commands")


def run(progress: Callable[[str], None], options: Namespace) -> dict[str, object]:
    """Seconds to the wall, seconds of the tests, what they proved and did not, MB that are fetched."""
    if os.geteuid() != 0:
        raise SystemExit("bench clean_room: only root can make an account; run it with sudo")
    user = f"room{secrets.token_hex(3)}"
    home = Path(tempfile.gettempdir()) / user
    with tempfile.TemporaryFile("w+b") as log:
        _call("useradd", "--create-home", "--home-dir", str(home), "--shell", "/bin/bash", user)
        try:
            return _both(_Account(user, home, log.fileno()), progress, options)
        finally:
            _call("pkill", "-KILL", "-u", user, check=False)
            _call("userdel", user, check=False)
            shutil.rmtree(home, ignore_errors=True)
            if options.keep_log is not None:
                log.seek(0)
                options.keep_log.write_bytes(log.read())


def failed(figures: dict[str, object]) -> bool:
    """Whether one of the commands did not do what it is for."""
    return not figures["make run: the wall answers"] or figures.get("tests: status", 0) != 0


class _Account:
    """Somebody new, and where what is said goes."""

    def __init__(self, user: str, home: Path, log: int) -> None:
        self.user, self.home, self.log = user, home, log

    @property
    def checkout(self) -> Path:
        return self.home / "tatpar"

    def command(self, *words: str) -> list[str]:
        """The same, as this account with its own few variables."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        few = [f"HOME={self.home}", f"USER={self.user}", f"PATH={path}", "LANG=C.UTF-8"]
        few += [f"{key}={value}" for key, value in os.environ.items() if key.startswith("PIP_")]
        who = ["--reuid", self.user, "--regid", self.user, "--init-groups"]
        nothing_more = ["--no-new-privs", "--inh-caps", "-all", "--bounding-set", "-all"]
        cleared = ["env", "-i", "-C", str(self.home), *few, *words]
        return [*_with_tun(), "setpriv", *who, *nothing_more, *cleared]


def _with_tun() -> list[str]:
    """What gives a command a TUN device that anybody may open, where this machine's is for root alone."""
    if not TUN.exists() or TUN.stat().st_mode & 0o006 == 0o006:
        return []
    device = f"mount -t tmpfs tmpfs {TUN.parent} && mknod -m 0666 {TUN} c 10 200"
    return ["unshare", "--mount", "sh", "-c", f'{device} && exec "$@"', "sh"]


def _both(account: _Account, progress: Callable[[str], None], options: Namespace) -> dict[str, object]:
    subprocess.run(["git", "clone", "--quiet", str(HOUSE), str(account.checkout)], check=True)
    _call("chown", "-R", account.user, str(account.home))
    progress(f"make run, as {account.user}")
    figures = _until_the_wall_answers(account)
    figures["MB of .venv"] = octets_of(account.checkout / ".venv") / _MB
    progress("what is fetched")
    figures |= _fetched(account)
    if options.no_tests:
        return figures
    words = (
        ["make", "test"] if not options.tests else [".venv/bin/python", "-m", "pytest", "-q", *options.tests]
    )
    progress(" ".join(words))
    return figures | _tests(account, words)


def _fetched(account: _Account) -> dict[str, object]:
    """MB of the locked wheels, and of the Debian packages that either command installs where they are missing."""
    folder = account.home / "wheels"
    words = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "-r", "requirements.lock"]
    at_home = ["env", "-C", str(account.checkout), ".venv/bin/python", *words, "-d", str(folder)]
    subprocess.run(account.command(*at_home), check=True)
    wheels = octets_of(folder)
    shutil.rmtree(folder)
    servers = packages((account.checkout / "deploy" / "setup.sh").read_text(encoding="utf-8"))
    return {
        "MB of wheels (make run)": wheels / _MB,
        "MB of Debian packages (make run)": _mb(debian_octets(servers[:1])),
        "MB of Debian packages (make test)": _mb(debian_octets(servers)),
    }


def _mb(octets: int | None) -> float | None:
    return None if octets is None else octets / _MB


def _until_the_wall_answers(account: _Account) -> dict[str, object]:
    """Start `make run`; end it when the page at the address that it prints has come."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+b") as said:
        process = subprocess.Popen(
            account.command("make", "-C", str(account.checkout), "run"), stdout=said, stderr=said
        )
        answers = False
        try:
            while not answers and process.poll() is None and time.monotonic() - began < RUN_LIMIT_S:
                time.sleep(0.5)
                said.seek(0)
                answers = any(map(_answers, _addresses(said.read().decode(errors="replace"))))
            took_s = time.monotonic() - began
        finally:
            _call("pkill", "-INT", "-u", account.user, "-f", "tatpar up", check=False)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            said.seek(0)
            os.write(account.log, said.read())
    return {"make run: the wall answers": answers, "make run: s": took_s}


def _addresses(text: str) -> Iterator[str]:
    return iter(dict.fromkeys(_ADDRESS.findall(text)))


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def _tests(account: _Account, words: list[str]) -> dict[str, object]:
    began = time.monotonic()
    before = os.lseek(account.log, 0, os.SEEK_END)
    command = account.command("env", "-C", str(account.checkout), *words)
    done = subprocess.run(command, stdout=account.log, stderr=account.log, timeout=TEST_LIMIT_S, check=False)
    after = os.lseek(account.log, 0, os.SEEK_END)
    said = os.pread(account.log, after - before, before).decode(errors="replace").strip()
    lines = said.splitlines()
    return {
        "MB of wheels (make test, beside)": octets_of(account.checkout / ".venv" / "wheelhouse") / _MB,
        "tests: status": done.returncode,
        "tests: s": time.monotonic() - began,
        "tests: last line": lines[-1] if lines else "",
        "tests: in a user namespace": _INSIDE.findall(said),
        "tests: not proved, and why": _UNPROVED.findall(said),
    }


def _call(*words: str, check: bool = True) -> None:
    subprocess.run(words, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
