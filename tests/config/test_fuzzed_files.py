"""Whatever a file holds, it is read, or refused in one line; nothing else ever comes out."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from config.settings_file import DEFAULTS

if TYPE_CHECKING:
    from conftest import Load

CORPUS = Path(__file__).parent / "broken"
SEEDS = {
    "settings": [DEFAULTS / "tatpar.toml", *sorted((CORPUS / "settings").glob("*.toml"))[:20]],
    "sites": sorted((CORPUS / "sites").glob("*.csv")),
    "profiles": [DEFAULTS / "profiles.toml", *sorted((CORPUS / "profiles").glob("*.toml"))],
    "meetings": [
        *sorted((DEFAULTS / "meetings").glob("*.ics")),
        *sorted((CORPUS / "meetings").glob("*.ics")),
    ],
}
SIGNS = [
    b'"',
    b"'",
    b",",
    b";",
    b":",
    b"=",
    b"[",
    b"]",
    b"{",
    b"}",
    b"#",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"\\",
    b"\0",
    b"\xff",
]
TOKENS = [
    *SIGNS,
    b"0",
    b"-1",
    b"9999999999999999999",
    b"1e400",
    b"nan",
    "ज़".encode(),
    "\u2028".encode(),
    b"END:VEVENT\n",
]


def _mutated(raw: bytes, chance: random.Random) -> bytes:
    """The bytes with a few places cut, doubled or replaced by signs that mean something."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(raw) + 1)
        length = chance.choice([0, 1, 1, 2, 5, 30])
        middle = chance.choice([b"", chance.choice(TOKENS), raw[at : at + length] * 2])
        raw = raw[:at] + middle + raw[at + length :]
    return raw


@pytest.mark.parametrize("kind", SEEDS)
def test_mutated_files_are_read_or_refused_in_one_line(kind: str, load: Load, tmp_path: Path) -> None:
    """Hundreds of files with slips in them: each is right, or is told by a ConfigError of a single line."""
    chance = random.Random(kind)
    refused: list[str] = []
    for number in range(300):
        seed = chance.choice(SEEDS[kind])
        path = tmp_path / f"{number}{seed.suffix}"
        path.write_bytes(_mutated(seed.read_bytes(), chance))
        try:
            config = load(kind, path)
            config.calendar.occurrences(1_795_000_000 * 10**9, 1_796_000_000 * 10**9)
        except ConfigError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert [said for said in refused if len(said.splitlines()) != 1 or len(said) > 1000] == []
