"""The report that makes itself: once a week, to those who get it, in their language, and not again after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.live import LiveConfig
from tatpar.watching.weekly import WeeklyReport
from telemetry.windows import DAY_NS, HOUR_NS
from tests.reports.conftest import MONDAY_NS

if TYPE_CHECKING:
    from pathlib import Path

    from telemetry.state.db import StateDb
    from telemetry.store.sqlite import SqliteReader

NEXT_MONDAY_NS = MONDAY_NS + 7 * DAY_NS
PEOPLE = """id,name,role,about,language,email
director,Director,leadership,all,en,director@office.example
secretary,सचिव,leadership,all,hi,secretary@office.example
engineer,Engineer,noc,all,en,noc@office.example
"""


@pytest.fixture
def live(config: object, tmp_path: Path) -> LiveConfig:
    """The known week's offices, with two people of leadership and a bare address."""
    assert config is not None
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    with (tmp_path / "tatpar.toml").open("a", encoding="utf-8") as file:
        file.write('\n[reports]\nmail_to = ["board@office.example", "Director@office.example"]\n')
    return LiveConfig(tmp_path / "tatpar.toml")


def test_it_is_made_once_and_sent_to_whom_it_concerns(
    live: LiveConfig, reader: SqliteReader, state: StateDb, tmp_path: Path
) -> None:
    """Before its hour nothing; then files and one mail each; a restart, a lost mark and the rest of the week add nothing."""
    folder = tmp_path / "reports"
    weekly = WeeklyReport(live, reader, state, folder)
    assert str(weekly.step(NEXT_MONDAY_NS + 6 * HOUR_NS)) == "None"  # the week before last has no data
    assert not list(folder.glob("readiness-*"))
    assert str(weekly.step(NEXT_MONDAY_NS + 8 * HOUR_NS)) == "2026-W47"
    assert {path.name for path in folder.glob("readiness-*")} == {
        "readiness-2026-W47-en.html",
        "readiness-2026-W47-en.pdf",
        "readiness-2026-W47-hi.html",
        "readiness-2026-W47-hi.pdf",
        "readiness-2026-W47-csv",
    }
    mails = {row.recipient: row for row in state.outbox(50)}
    assert set(mails) == {"director@office.example", "secretary@office.example", "board@office.example"}
    assert mails["director@office.example"].subject == "Weekly readiness report, 2026-W47"
    assert "तैयारी रिपोर्ट" in mails["secretary@office.example"].subject
    attached = state.attachments(mails["director@office.example"].key)
    assert {(each.name, each.content[:5]) for each in attached} == {
        ("readiness-2026-W47-en.pdf", b"%PDF-"),
        ("readiness-2026-W47-en.html", b"<!doc"),
    }
    again = WeeklyReport(live, reader, state, folder)
    assert again.step(NEXT_MONDAY_NS + 9 * HOUR_NS) is None
    (folder / "weekly.done").unlink()
    assert again.step(NEXT_MONDAY_NS + 4 * DAY_NS) is not None
    assert len(state.outbox(50)) == 3
