"""Very many reports for one hour of one site, as a flood or a forger makes them: memory stays bounded, nothing is lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from telemetry.store.protocol import Selection
from telemetry.store.sqlite import SqliteStore, fold, recent
from telemetry.windows import HOUR_NS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("limit", "most"), [("AT_ONCE", 40), ("BYTES_AT_ONCE", 1)], ids=["rows", "bytes"])
def test_an_hour_of_very_many_reports_is_folded_in_pieces(
    tmp_path: Path,
    fleet: Any,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    most: int,
) -> None:
    """No more than a piece is ever decoded at a time; in the end every window is in the block, once."""
    monkeypatch.setattr(fold, limit, most)  # one byte: at least one report all the same
    decoded: list[int] = []
    read = recent.read_envelopes

    def counted(*given: Any) -> Any:
        found = read(*given)
        decoded.append(len(found))
        return found

    monkeypatch.setattr(recent, "read_envelopes", counted)
    reports = [fleet.report("agra", seq, 1) for seq in range(1, 101)]
    with contextlib.closing(SqliteStore(tmp_path / "reports.db")) as store:
        store.append(reports)
        while fold.due(store._connection, fleet.t0 + 3 * HOUR_NS, 1):
            with store._write():
                fold.fold(store._connection, "agra", fleet.t0)
        assert store._connection.execute("SELECT count(*) FROM report").fetchone() == (0,)
        assert max(decoded) == most
        assert sum(decoded) == len(reports)
        assert len(store.streams(Selection(0, 2**62))) == 2 * len(reports)
