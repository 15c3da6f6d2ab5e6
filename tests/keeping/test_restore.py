"""Putting back: into an empty folder, whole whenever it is killed, and with what must not be as it was."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from collector.confirmations import confirmation
from config.load import load_config
from probes.publishing.office_settings import SpoolLimits
from probes.publishing.spool import Confirmation, Made, Spool
from tatpar.__main__ import main
from tatpar.store.backups import restoring
from tatpar.store.backups.making import make
from tatpar.store.backups.manifest import FILE, BackupError, NotEmptyError, read_manifest
from tatpar.store.backups.restoring import STAGE, restore
from tatpar.store.backups.verifying import verify_data
from telemetry.codec import decode, encode
from telemetry.intervals import IntervalSet
from telemetry.state.db import StateDb
from telemetry.store.errors import StoreError
from telemetry.store.open import open_writer
from telemetry.store.protocol import Received
from telemetry.store.sqlite import SqliteStore, restored
from telemetry.words.format import moment
from tests.keeping.conftest import EVERYTHING, bits_of
from tests.keeping.killing import runs_through, stop_syncing
from tests.telemetry.store.conftest import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.publishing.spool import Slot
    from tests.keeping.conftest import Hub

DAY_NS = 86_400 * 10**9


def test_what_is_put_back_reads_the_same_to_the_bit(hub: Hub) -> None:
    """Numbers, permissions, what the operator wrote; and the hub that it came from is not touched."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    target, config = hub.folder / "new", hub.folder / "new-config"
    done = restore(backup, target, config)
    assert bits_of(target / "reports.db") == bits_of(hub.data / "reports.db")
    assert verify_data(target).faults == ()
    assert stat.S_IMODE((target / "identity" / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((target / "state.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in target.iterdir()) == [
        "ack.key",
        "identity",
        "reports",
        "reports.db",
        "state.db",
    ]
    assert sorted(path.name for path in config.iterdir()) == ["meetings", "sites.csv", "tatpar.toml"]
    assert (done.tokens_ended, done.waiting_messages) == (1, 1)
    with closing(StateDb(target / "state.db")) as state:
        assert state.beats() == {}
        assert state.redeem_token(b"open", b"n", 2**61, DAY_NS).outcome != "now"


def test_a_folder_that_is_not_empty_is_refused(hub: Hub) -> None:
    """Also that of a hub at work: nothing is touched, and one line says what to do."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    before = bits_of(hub.data / "reports.db")
    with pytest.raises(NotEmptyError, match=r"not empty \(ack\.key and \d+ more\); stop the hub"):
        restore(backup, hub.data)
    assert bits_of(hub.data / "reports.db") == before
    done = CliRunner().invoke(main, ["store", "restore", str(backup), "--data", str(hub.data)])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)


def test_killed_anywhere_it_goes_on_when_started_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no step is there a half of a hub that could be started, and the second start finishes the first."""
    stop_syncing(monkeypatch)
    backup, _ = make(hub.config, hub.data, hub.backups)
    wanted = bits_of(hub.data / "reports.db")
    target = hub.folder / "new"

    def work(step: Callable[[], None]) -> None:
        for owner, name in ((restoring, "on_disk"), (Path, "rename"), (Path, "unlink"), (Path, "rmdir")):
            setattr(owner, name, stepping(getattr(owner, name), step))
        restore(backup, target)

    at = 1
    while not runs_through(work, at):
        if list(target.glob(".resto*")):
            with pytest.raises(StoreError, match="run tatpar store restore again"):
                open_writer(hub.config.settings.store, target)
        at += (
            4 if at < 9 else 1
        )  # before everything is ready there is but one way to go on: from the beginning
        restore(backup, target)
        assert {path.name for path in target.iterdir()} == {
            "ack.key",
            "identity",
            "reports",
            "reports.db",
            "state.db",
        }
        if at % 6 == 0:
            assert bits_of(target / "reports.db") == wanted
        restoring.shutil.rmtree(target)
    assert at > 15


def test_killed_after_its_last_step_it_is_recognised(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started again it says that it is done, once and again; not of another backup, and not when a hub has worked there."""
    stop_syncing(monkeypatch)
    backup, _ = make(hub.config, hub.data, hub.backups)
    target, config = hub.folder / "new", hub.folder / "etc"

    def work(step: Callable[[], None]) -> None:
        restore(backup, target, config)
        step()

    assert not runs_through(work, 1)
    wanted = bits_of(target / "reports.db")
    done = restore(backup, target, config)
    assert (done.was_there, done.files > 0) == (True, True)
    said = CliRunner().invoke(main, ["store", "restore", str(backup), "--data", str(target), "--lang", "en"])
    assert (said.exit_code, "already" in said.output) == (0, True)
    assert f"as of {moment('en', done.moment_ns, ZoneInfo('Asia/Kolkata'))}" in said.output
    assert bits_of(target / "reports.db") == wanted
    other = hub.folder / "other"
    restoring.shutil.copytree(backup, other)
    manifest = msgspec.structs.replace(read_manifest(other), moment_ns=1, sealed=False)
    (other / FILE).write_bytes(msgspec.json.encode(manifest))
    (other / "manifest.sha256").unlink()
    with pytest.raises(NotEmptyError):
        restore(other, target)
    with closing(sqlite3.connect(target / "reports.db")) as store:
        restored.told(store)
        store.commit()
    with pytest.raises(NotEmptyError):
        restore(backup, target)


def stepping(done: Callable[..., object], step: Callable[[], None]) -> Callable[..., object]:
    """A step before it is done."""

    def first_a_step(*arguments: object, **named: object) -> object:
        step()
        return done(*arguments, **named)

    return first_a_step


def test_a_damaged_or_newer_backup_is_refused(hub: Hub) -> None:
    """Before anything is put back."""
    backup, manifest = make(hub.config, hub.data, hub.backups)
    target = hub.folder / "new"
    database = backup / "data" / "reports.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:5000] + b"\x00\x01" + whole[5002:])
    with pytest.raises(BackupError, match=r"reports\.db: damaged"):
        restore(backup, target)
    database.write_bytes(whole)
    entries = [
        msgspec.structs.replace(entry, schema=99) if entry.path == "data/state.db" else entry
        for entry in manifest.files
    ]
    (backup / FILE).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, files=tuple(entries))))
    with pytest.raises(BackupError, match=r"state\.db: the file has format 99, this version knows up to 10"):
        restore(backup, target)
    stray = msgspec.structs.replace(manifest.files[0], path="data/../../etc/passwd")
    (backup / FILE).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, files=(stray,))))
    with pytest.raises(BackupError, match="does not lie in a backup"):
        restore(backup, target)
    (backup / FILE).write_bytes(b'{"format": 2}')
    with pytest.raises(BackupError, match="format 2, this version knows up to 1"):
        read_manifest(backup)
    (backup / FILE).unlink()
    with pytest.raises(BackupError, match="never finished"):
        restore(backup, target)
    assert not any(path for path in target.iterdir() if path.name != STAGE)


class House:
    """A real spool and a real store that talk without a network in between."""

    def __init__(self, hub: Hub) -> None:
        self.fleet = Fleet(seed=5)
        self.spool = Spool(hub.folder / "spool.db", site="unnao", probe="p1", limits=SpoolLimits())
        self.payloads: list[bytes] = []

    def measures(self, count: int) -> None:
        for _ in range(count):

            def made(slot: Slot) -> bytes:
                envelope = self.fleet.envelope("unnao", slot.seq, epoch=slot.epoch)
                return encode(msgspec.structs.replace(envelope, items=(*envelope.items, *slot.tombstones)))

            self.spool.append(0, Made("boot", 1, 1), made)

    def sends(self, store: SqliteStore) -> None:
        """Everything that it holds."""
        rows = [self.spool.read(seq) for first, last in self.spool.held() for seq in range(first, last + 1)]
        envelopes = [decode(row.payload) for row in rows if row is not None]
        store.append([Received(envelope, envelope.start_ns + 20 * 10**9) for envelope in envelopes])

    def hears(self, store: SqliteStore) -> Confirmation:
        """What the hub says is stored."""
        said = confirmation(self.spool.epoch, store.received("unnao", "p1")[self.spool.epoch])
        assert said is not None
        sent = IntervalSet(((1, self.spool.next_seq - 1),))
        return self.spool.confirm(said, sent)


def test_the_spools_fill_what_they_have_and_the_rest_is_told_as_a_gap(hub: Hub) -> None:
    """The hazard of a hub that went back: what a probe let go of since is a hole with numbers, never silence."""
    house = House(hub)
    with closing(SqliteStore(hub.data / "reports.db")) as store:
        house.measures(20)
        house.sends(store)
        backup, _ = make(hub.config, hub.data, hub.backups)  # it knows 1 to 20
        house.measures(20)
        house.sends(store)
        assert house.hears(store) is Confirmation.APPLIED  # the probe lets go of 1 to 40
        house.measures(5)
        house.sends(store)  # stored, and the hub dies before it has said so
    restore(backup, hub.folder / "new")
    with closing(SqliteStore(hub.folder / "new" / "reports.db")) as store:
        assert [who for who in store.untold() if who[0] == "unnao"] == [("unnao", "p1", house.spool.epoch)]
        house.measures(3)
        house.sends(store)
        accounted = store.received("unnao", "p1")[house.spool.epoch]
        assert list(accounted) == [(1, 20), (41, 48)]
        assert house.hears(store) is Confirmation.APPLIED
        assert house.spool.reports == 0
        holes = [
            (hole.first_seq, hole.last_seq) for hole in store.gaps(EVERYTHING).holes if hole.site == "unnao"
        ]
        assert holes == [(21, 40)]
        assert len(store.streams(EVERYTHING.__class__(0, 2**62, sites=("unnao",)))) == 2 * 28
        store.all_told()
        assert store.untold() == []
    assert verify_data(hub.folder / "new").faults == ()
    house.spool.close()


def test_what_was_never_confirmed_comes_again_and_leaves_no_gap(hub: Hub) -> None:
    """A probe that was off line when the hub went back loses nothing."""
    house = House(hub)
    with closing(SqliteStore(hub.data / "reports.db")) as store:
        house.measures(20)
        house.sends(store)
        backup, _ = make(hub.config, hub.data, hub.backups)
        house.measures(20)
        house.sends(store)
    restore(backup, hub.folder / "new")
    with closing(SqliteStore(hub.folder / "new" / "reports.db")) as store:
        house.sends(store)
        assert list(store.received("unnao", "p1")[house.spool.epoch]) == [(1, 40)]
        assert not [hole for hole in store.gaps(EVERYTHING).holes if hole.site == "unnao"]
    house.spool.close()


def test_a_restored_journal_takes_another_name(hub: Hub) -> None:
    """Its server was told of commits that the journal no longer has: the old cursor must not count for the new ones."""
    with closing(sqlite3.connect(hub.data / "reports.db")) as store:
        store.execute("INSERT INTO fact VALUES ('identity', 77)")
        store.commit()
    backup, _ = make(hub.config, hub.data, hub.backups)
    restore(backup, hub.folder / "new")
    with closing(sqlite3.connect(hub.folder / "new" / "reports.db")) as store:
        facts = dict(store.execute("SELECT name, value FROM fact"))
    assert "identity" not in facts
    assert facts["kept_from_ns"] > facts["restored_ns"] > facts["restored_from_ns"]


def test_gaps_says_since_when_the_hub_was_put_back(hub: Hub) -> None:
    """In both languages and for machines; a hub that never was says nothing of it."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    restore(backup, hub.folder / "new")
    run, config = CliRunner(), ["--config", str(hub.config.file)]
    for language, words in (("en", "Put back"), ("hi", "बैकअप से बहाल")):
        done = run.invoke(main, ["gaps", *config, "--data", str(hub.folder / "new"), "--lang", language])
        assert words in done.output
        before = run.invoke(main, ["gaps", *config, "--data", str(hub.data), "--lang", language])
        assert words not in before.output
    told = json.loads(run.invoke(main, ["gaps", *config, "--data", str(hub.folder / "new"), "--json"]).stdout)
    assert told["put_back"]["from"] < told["put_back"]["at"]


def test_files_that_lay_elsewhere_are_kept_with_their_origin(hub: Hub) -> None:
    """Settings may name files anywhere; the backup holds them, and restoring says where they were."""
    elsewhere = hub.folder.parent / "elsewhere.csv"
    (hub.folder / "sites.csv").rename(elsewhere)
    hub.config.file.write_text(f'[files]\nsites = "{elsewhere}"\n', encoding="utf-8")
    backup, manifest = make(load_config(hub.config.file), hub.data, hub.backups)
    kept = [entry for entry in manifest.files if entry.origin]
    assert [entry.origin for entry in kept] == [str(elsewhere)]
    assert (backup / kept[0].path).read_bytes() == elsewhere.read_bytes()
    done = restore(backup, hub.folder / "new", hub.folder / "new-config")
    assert done.elsewhere == (str(elsewhere),)
    assert next((hub.folder / "new-config" / "elsewhere").iterdir()).read_bytes() == elsewhere.read_bytes()


def test_going_on_writes_over_nobodys_settings(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before the last step and started again with another folder for the settings: that must be empty too."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    target, config = hub.folder / "new", hub.folder / "etc"
    config.mkdir()
    (config / "tatpar.toml").write_text("mine", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_move_up", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            restore(backup, target)
    with pytest.raises(NotEmptyError, match="restore-config"):
        restore(backup, target, config)
    assert (config / "tatpar.toml").read_text(encoding="utf-8") == "mine"
    restore(backup, target, hub.folder / "new-config")
    assert verify_data(target).faults == ()


def test_settings_that_are_wrong_or_gone_hinder_nobody(hub: Hub) -> None:
    """They may be what is broken: a backup is looked through and put back all the same, and it is said that it was."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    wrong = hub.folder / "wrong.toml"
    wrong.write_text("this is no [ toml", encoding="utf-8")
    for settings in (wrong, hub.folder / "not-there.toml"):
        place = ["--config", str(settings)]
        looked = CliRunner().invoke(main, ["store", "verify", str(backup), *place])
        assert (looked.exit_code, str(backup) in looked.output) == (0, True), looked.output
        target = hub.folder / f"new-{settings.stem}"
        done = CliRunner().invoke(main, ["store", "restore", str(backup), "--data", str(target), *place])
        assert (done.exit_code, str(target) in done.output) == (0, True), done.output
        assert verify_data(target).faults == ()
        shown = CliRunner().invoke(main, ["refused", "--data", str(target), *place])
        assert shown.exit_code == 0, shown.output


@pytest.mark.parametrize("command", ["verify", "restore"])
def test_a_backup_that_is_not_there_is_not_taken_for_a_data_folder(tmp_path: Path, command: str) -> None:
    """A slip of the pen in the backup's name: said is where that name was printed."""
    data = ["--data", str(tmp_path / "data")]
    done = CliRunner().invoke(main, ["store", command, str(tmp_path / "x"), *data])
    assert done.exit_code == 2
    assert "no such folder; name the one that `tatpar store backup` printed" in done.output
