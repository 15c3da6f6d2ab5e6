"""How much the two commands of the README fetch on a machine that has Python, make and git: wheels and Debian packages, in octets.

Nothing is installed. pip downloads the locked wheels into an empty folder and they are summed, for its cache tells nothing where the index forbids
to cache. apt names what it would fetch with nothing installed, with and without our packages; the difference is what they bring along.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_NAMED: Final = re.compile(r'missing="(?:\$missing )?([a-z][\w.+-]*)"')
_BASE: Final = ("required", "important", "standard")
"""Priorities of what a Debian without a desktop has."""
_AT_HAND: Final = ("python3-venv", "make", "git")
_EMPTY: Final = ("-o", "Dir::State::status=/dev/null", "-o", "Debug::NoLocking=1")


def packages(setup: str) -> tuple[str, ...]:
    """The Debian packages that `make test` installs where they are missing, by the text of deploy/setup.sh; mosquitto first, which `make run` wants too."""
    return ("mosquitto", *_NAMED.findall(setup))


def octets_of(folder: Path) -> int:
    """Of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def debian_octets(names: Iterable[str]) -> int | None:
    """What apt fetches for these packages and what they need beyond the base of a Debian; None: there is no apt, or no list of packages."""
    try:
        base = (*_base(), *_AT_HAND)
        without = dict(_fetched(base))
        whole = dict(_fetched((*base, *names)))
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return sum(size for file, size in whole.items() if file not in without) if without else None


def _base() -> Iterator[str]:
    said = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    for stanza in said.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Priority): (.+)$", stanza, re.MULTILINE))
        if fields.get("Priority") in _BASE:
            yield fields["Package"]


def _fetched(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """File and octets of each package that apt would fetch for these on a machine that has none."""
    words = ("apt-get", *_EMPTY, "--print-uris", "-qq", "-y", "--no-install-recommends", "install", *names)
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for line in said.splitlines():  # 'http://…' file octets checksum
        address, *rest = line.split()
        if address.startswith("'http") and len(rest) >= 2:
            yield rest[0], int(rest[1])
