"""Two offices, a folder for files of other tools, and the command as an operator types it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner, Result

from config.load import load_config
from tatpar.__main__ import main
from telemetry.store.open import open_reader
from telemetry.store.protocol import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from telemetry.store.tables import RollupTable

SITES = """id,name_en,name_hi,region,lat,lon,status,provider
agra,Agra,आगरा,braj,27.18,78.01,linked,provider-a
etah,Etah,एटा,braj,27.56,78.66,linked,provider-a
"""
FOUR = """id,name_en,name_hi,region,lat,lon,status,provider
agra,Agra,आगरा,braj,27.18,78.01,linked,provider-a
etah,Etah,एटा,braj,27.56,78.66,linked,provider-a
hathras,Hathras,हाथरस,braj,27.6,78.05,linked,provider-b
mathura,Mathura,मथुरा,braj,27.49,77.67,linked,provider-b
"""
PINGS = """
[time]
column = "t"
format = "unix_s"
[site]
file_name = true
[path]
is = "main.state"
[ping]
rtt = { column = "rtt" }
"""
EXAMPLES = Path(__file__).parents[2] / "docs" / "history"


@dataclass(frozen=True)
class Desk:
    """Someone who has files of another tool."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "tatpar.toml"

    def writes(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def imports(self, files: list[Path], mapping: Path, *more: str) -> Result:
        """Type `tatpar history import …`; the output is standard output alone."""
        where = ["--config", str(self.config), "--data", str(self.data), "--mapping", str(mapping)]
        return CliRunner().invoke(main, ["history", "import", *map(str, files), *where, *more])

    def imports_pings(self, pings: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]) -> None:
        """Import a file of single pings of each of some of four offices: seconds since the epoch, and ms, NaN where one was lost."""
        self.writes("sites.csv", FOUR)
        files = []
        for site, (at_s, rtt_ms) in pings.items():
            told = ("" if np.isnan(rtt) else f"{rtt:.1f}" for rtt in rtt_ms)
            rows = "".join(f"{at},{rtt}\n" for at, rtt in zip(at_s, told, strict=True))
            files.append(self.writes(f"{site}.csv", "t,rtt\n" + rows))
        done = self.imports(files, self.writes("pings.toml", PINGS))
        assert done.exit_code == 0, done.output

    def rollups(self, site: str = "agra") -> RollupTable:
        """All that the store has of an office."""
        with contextlib.closing(open_reader(load_config(self.config).settings.store, self.data)) as reader:
            return reader.rollups(Selection(0, 2**62, sites=(site,)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "meetings").mkdir()
    (tmp_path / "tatpar.toml").write_text("", encoding="utf-8")
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The mapping files of the documentation."""
    return EXAMPLES
