"""Backups: whole or not there, as of one moment, and what is wrong with one is found."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.store.backups import making
from tatpar.store.backups.making import UNFINISHED, forget_old, make
from tatpar.store.backups.manifest import BackupError, read_manifest
from tatpar.store.backups.restoring import restore
from tatpar.store.backups.verifying import verify_backup, verify_data
from telemetry.store.sqlite import SqliteStore
from telemetry.store.sqlite.inspection import inspect
from tests.keeping.conftest import EVERYTHING, bits_of
from tests.keeping.killing import runs_through, stop_syncing
from tests.telemetry.store.conftest import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.keeping.conftest import Hub


def test_a_backup_is_whole_and_closed_to_others(hub: Hub) -> None:
    """Databases, keys, reports and what the operator wrote; nothing that others may read; no logs."""
    backup, manifest = make(hub.config, hub.data, hub.backups)
    held = {entry.path for entry in manifest.files}
    assert held == {
        *("data/reports.db", "data/state.db", "data/identity/ca.key", "data/ack.key"),
        *(
            "data/reports/readiness.html",
            "config/tatpar.toml",
            "config/sites.csv",
            "config/meetings/none.ics",
        ),
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.rglob("*") if path.is_file()} == {0o600}
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    found = verify_backup(backup)
    assert found.faults == ()
    assert (found.blocks > 5, found.reports > 50, found.accounts) == (True, True, 2)
    assert verify_data(hub.data).faults == ()
    assert manifest.strangers == ()
    (hub.data / "something-new.db").write_bytes(b"")
    assert make(hub.config, hub.data, hub.folder / "more")[1].strangers == ("something-new.db",)


def test_what_is_written_meanwhile_is_in_it_up_to_one_moment(hub: Hub) -> None:
    """A writer at work is not held up, and of its commits the copy has all up to one and none after it."""
    fleet, stop, numbers = Fleet(seed=3), Event(), []

    def write() -> None:
        with closing(SqliteStore(hub.data / "reports.db")) as store:
            while not stop.is_set():
                numbers.append(len(numbers) + 1)
                store.append([fleet.report("mau", numbers[-1]) for _ in range(1)])

    writer = Thread(target=write)
    writer.start()
    try:
        backups = []
        while len(backups) < 3 or len(numbers) < 20:
            place = hub.backups / str(len(backups))
            before = len(numbers)
            backups.append((before, make(hub.config, hub.data, place)[0], len(numbers)))
    finally:
        stop.set()
        writer.join()
    for before, backup, after in backups:
        assert verify_backup(backup).faults == ()
        with closing(sqlite3.connect(backup / "data" / "reports.db")) as copy:
            seqs = [seq for (seq,) in copy.execute("SELECT seq FROM report WHERE site = 'mau' ORDER BY seq")]
        assert seqs == list(range(1, len(seqs) + 1))
        assert before - 1 <= len(seqs) <= after


def test_a_killed_backup_leaves_nothing_that_looks_whole(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at any step, no folder has a backup's name; the next backup clears what is left."""
    stop_syncing(monkeypatch)

    def work(step: Callable[[], None]) -> None:
        on_disk = making.on_disk

        def told(path: Path) -> None:
            step()
            on_disk(path)

        making.on_disk = told
        make(hub.config, hub.data, hub.backups)

    at, left = 1, 0
    while not runs_through(work, at):
        whole = [path for path in hub.backups.glob("tatpar-*") if not path.name.endswith(UNFINISHED)]
        for path in whole:  # renamed already: then it is whole indeed
            assert verify_backup(path).faults == ()
            making.shutil.rmtree(path)
        left += any(hub.backups.glob(f"*{UNFINISHED}"))
        at += 1
    assert left > 5
    assert not list(hub.backups.glob(f"*{UNFINISHED}"))
    with pytest.raises(BackupError, match="never finished"):
        read_manifest(hub.backups)


def test_the_oldest_make_room(hub: Hub) -> None:
    """`--keep`: only whole backups count, and only backups go."""
    for second in range(4):
        place = hub.backups / f"tatpar-20261126T08300{second}Z"
        place.mkdir(parents=True)
        if second != 3:
            (place / "manifest.json").write_text("{}", encoding="utf-8")
    gone = forget_old(hub.backups, 1)
    assert [path.name for path in gone] == ["tatpar-20261126T083000Z", "tatpar-20261126T083001Z"]
    assert sorted(path.name[-2:] for path in hub.backups.iterdir()) == ["2Z", "3Z"]


def test_a_flipped_byte_anywhere_in_a_backup_is_found(hub: Hub) -> None:
    """By the digest, which names the file; so are a file too short, one that is gone, and one too many."""
    backup, manifest = make(hub.config, hub.data, hub.backups)
    for entry in manifest.files:
        path = backup / entry.path
        whole = path.read_bytes()
        if whole:
            at = len(whole) // 2
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert verify_backup(backup).faults == (
                f"{entry.path}: its content is not what was backed up (SHA-256 differs)",
            )
        path.write_bytes(whole + b"x")
        assert "the manifest says" in verify_backup(backup).faults[0]
        path.unlink()
        assert verify_backup(backup).faults == (f"{entry.path}: is not there",)
        path.write_bytes(whole)
    (backup / "data" / "reports.db-wal").write_bytes(b"")
    assert verify_backup(backup).faults == ("data/reports.db-wal: is not in the manifest",)


def test_a_flipped_byte_in_a_packed_block_of_the_running_store_is_found(tmp_path: Path) -> None:
    """No digest there: the part's own checksum tells, or its names do, wherever in it the byte lies."""
    with closing(SqliteStore(tmp_path / "reports.db")) as made:
        made.append(Fleet().hours(["agra"], range(6)))
        while made.maintain(2**62):
            pass
    assert inspect(tmp_path / "reports.db").faults == ()
    with closing(sqlite3.connect(tmp_path / "reports.db")) as store:
        parts = store.execute("SELECT id, data FROM part").fetchall()
        assert len(parts) > 10
        whole, harmless = bits_of(tmp_path / "reports.db"), 0
        for number, (part, data) in enumerate(parts):
            places = (
                {*range(min(len(data), 40)), *range(number, len(data), 1 + len(data) // 5)}
                if number < 2
                else {9}
            )
            for at in places:
                _put(store, part, data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
                if not inspect(tmp_path / "reports.db").faults:  # a bit of the frame's head that says nothing
                    assert bits_of(tmp_path / "reports.db") == whole, (part, at)
                    harmless += 1
            _put(store, part, data)
    assert inspect(tmp_path / "reports.db").faults == ()
    assert harmless <= 2


def _put(store: sqlite3.Connection, part: int, data: bytes) -> None:
    store.execute("UPDATE part SET data = ? WHERE id = ?", (data, part))
    store.commit()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            "UPDATE ledger SET stored = zeroblob(0), holes = zeroblob(0) WHERE site = 'agra'",
            "that the ledger does not know",
        ),
        ("UPDATE ledger SET holes = zeroblob(0) WHERE site = 'agra'", "the ledger's holes are"),
        ("DELETE FROM tombstone WHERE site = 'etah'", "the tombstones say"),
        ("DELETE FROM report WHERE id = (SELECT max(id) FROM report)", "reports are accounted for"),
        (
            "UPDATE report SET seq = seq + 1000 WHERE id = (SELECT max(id) FROM report)",
            "another one than its row says",
        ),
        (
            "UPDATE report SET records = zeroblob(length(records)) WHERE id = (SELECT max(id) FROM report)",
            "figures",
        ),
        ("DELETE FROM block WHERE id = 1", "belong to no block"),
        (
            "UPDATE block SET start_ns = start_ns + 86400000000000 WHERE kind = 1 AND site = 'agra'",
            "rows of another time",
        ),
        ("UPDATE part SET data = zeroblob(9) WHERE id = (SELECT max(id) FROM part)", "cannot be read"),
    ],
)
def test_books_that_disagree_are_found(hub: Hub, damage: str, said: str) -> None:
    """What is there against what is accounted for, row by row and in sum."""
    with closing(sqlite3.connect(hub.data / "reports.db")) as store:
        assert store.execute(damage).rowcount > 0
        store.commit()
    assert any(said in fault for fault in verify_data(hub.data).faults), verify_data(hub.data).faults


def test_imported_history_does_not_upset_the_sums(hub: Hub) -> None:
    """Windows that no report brought are in no ledger."""
    with (
        closing(SqliteStore(hub.data / "reports.db")) as store,
        closing(SqliteStore(hub.folder / "other.db")) as other,
    ):
        other.import_streams(store.streams(EVERYTHING))
        other.append([Fleet().report("agra", 5, 5000)])
        while other.maintain(2**62):
            pass
    assert inspect(hub.folder / "other.db").faults == ()


def test_the_commands(hub: Hub) -> None:
    """As an operator types them: made, verified, and what is no backup is said in one line."""
    here = ["--config", str(hub.config.file), "--data", str(hub.data)]
    run = CliRunner()
    done = run.invoke(main, ["store", "backup", str(hub.backups), *here, "--json", "--keep", "2"])
    assert done.exit_code == 0, done.output
    backup = json.loads(done.stdout)["backup"]
    assert run.invoke(main, ["store", "verify", backup]).exit_code == 0
    (hub.backups / "x").mkdir()
    wrong = run.invoke(main, ["store", "verify", str(hub.backups / "x")])
    assert wrong.exit_code == 1
    assert wrong.output.count("\n") == 1
    assert "never finished" in wrong.output
    with closing(sqlite3.connect(hub.data / "reports.db")) as store:
        store.execute("DELETE FROM tombstone")
        store.commit()
    assert run.invoke(main, ["store", "verify", "--data", str(hub.data)]).exit_code == 1


def test_a_backup_into_the_data_folder_is_refused(hub: Hub) -> None:
    """It would be lost with it, and be a stranger there; also by way of a link, and nothing is made."""
    (hub.folder / "link").symlink_to(hub.data)
    before = sorted(hub.data.rglob("*"))
    for folder in (hub.data, hub.data / "backups", hub.folder / "link" / "backups"):
        done = CliRunner().invoke(main, ["store", "backup", str(folder), "--data", str(hub.data)])
        assert (done.exit_code, done.output.count("\n")) == (2, 1)
        assert f"{folder}: lies in the data folder" in done.output
    assert sorted(hub.data.rglob("*")) == before


def test_the_one_just_made_stays_and_strangers_are_left_alone(hub: Hub) -> None:
    """A clock that ran ahead, or somebody else's folder, costs no backup; what is not ours is never cleared away."""
    for name in ("tatpar-20991231T000000Z", "tatpar-other-siteZ"):
        (hub.backups / name).mkdir(parents=True)
        (hub.backups / name / "manifest.json").write_text("{}", encoding="utf-8")
    (hub.backups / "my.unfinished").mkdir()
    backup, _ = make(hub.config, hub.data, hub.backups)
    assert [path.name for path in forget_old(hub.backups, 1, backup)] == ["tatpar-20991231T000000Z"]
    assert sorted(path.name for path in hub.backups.iterdir()) == sorted(
        [backup.name, "my.unfinished", "tatpar-other-siteZ"]
    )


@pytest.mark.parametrize(
    "path", ["data//etc/x", "data/../x", "data/./x", "data/", "data", "config/a\\u0000b"]
)
def test_a_manifest_that_points_elsewhere_is_refused(hub: Hub, path: str) -> None:
    """An absolute path behind `data/` would be written anywhere; a byte that is no text is damage, not a traceback."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    raw = (backup / "manifest.json").read_bytes()
    (backup / "manifest.json").write_bytes(raw.replace(b"data/state.db", path.encode()))
    with pytest.raises(BackupError, match="does not lie in a backup"):
        read_manifest(backup)
    (backup / "manifest.json").write_bytes(raw.replace(b"state.db", b"st\xffte.db"))
    with pytest.raises(BackupError, match="damaged"):
        read_manifest(backup)


def test_the_manifest_is_sealed_and_older_ones_are_said_to_be_not(hub: Hub) -> None:
    """One byte of it is found, by sha256sum too; a backup of before has no seal, is whole all the same, and is said to be unchecked."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    path, seal = backup / "manifest.json", backup / "manifest.sha256"
    assert verify_backup(backup).unchecked == ()
    assert (
        subprocess.run(
            ["sha256sum", "-c", seal.name], cwd=backup, check=False, capture_output=True
        ).returncode
        == 0
    )
    whole = path.read_bytes()
    path.write_bytes(
        whole.replace(b'"mode": 384', b'"mode": 420', 1)
    )  # still a manifest, and not what was written
    assert [fault.partition(":")[0] for fault in verify_backup(backup).faults] == ["manifest.json"]
    with pytest.raises(BackupError, match=r"SHA-256 differs from manifest\.sha256"):
        restore(backup, hub.folder / "new")
    assert not (hub.folder / "new").exists()
    path.write_bytes(whole)
    seal.unlink()
    assert verify_backup(backup).faults == (
        "manifest.sha256: is not there, so nothing vouches for manifest.json",
    )
    path.write_bytes(whole.replace(b'"sealed": true,', b""))
    assert verify_backup(backup).faults == ()
    said = CliRunner().invoke(main, ["store", "verify", str(backup), "--lang", "en"])
    assert (said.exit_code, "not checked: manifest.json itself" in said.output) == (0, True)
    assert not restore(backup, hub.folder / "new").is_sealed


def test_a_file_that_is_no_database_is_a_fault_in_one_line(hub: Hub) -> None:
    """What verify is for must not end in a traceback."""
    (hub.data / "reports.db").write_bytes(b"\0" * 8192)
    assert any("not a database" in fault for fault in verify_data(hub.data).faults)


def test_a_damaged_database_costs_no_whole_backup(hub: Hub) -> None:
    """Status 1, one line, nothing new that looks like a backup, and --keep takes none of those from before."""
    whole, _ = make(hub.config, hub.data, hub.backups)
    path = hub.data / "reports.db"
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.execute("PRAGMA journal_mode=DELETE")
        (page,) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = 'contact'").fetchone()
        (size,) = store.execute("PRAGMA page_size").fetchone()
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(raw)
    typed = ["store", "backup", str(hub.backups), "--config", str(hub.config.file), "--data", str(hub.data)]
    done = CliRunner().invoke(main, [*typed, "--keep", "1"])
    assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
    assert "reports.db: damaged" in done.output
    assert list(hub.backups.iterdir()) == [whole]
