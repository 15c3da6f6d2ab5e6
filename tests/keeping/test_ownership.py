"""What root does to a data folder of another user's leaves nothing there that the user's services cannot open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tatpar.__main__ import main
from tatpar.data_folder.ownership import give_to_owner
from tatpar.store.backups.making import make
from tests.rights.needed import NOBODY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.keeping.conftest import Hub

pytestmark = pytest.mark.needs("give")


def somebodys(folder: Path) -> Path:
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


def owners(folder: Path) -> dict[str, tuple[int, int]]:
    """By name, of a folder and all that is in it."""
    found = {str(path.relative_to(folder)): path.lstat() for path in (folder, *folder.rglob("*"))}
    return {name: (status.st_uid, status.st_gid) for name, status in found.items()}


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_backup_that_root_puts_back(hub: Hub) -> None:
    """Data and settings: the one that owns the data folder can open all of it."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    data, config = somebodys(hub.folder / "new"), hub.folder / "new-config"
    said = run("store", "restore", backup, "--data", data, "--restore-config", config, "--lang", "en")
    assert {"state.db", "identity", "identity/ca.key"} <= owners(data).keys()
    assert set(owners(data).values()) == {(NOBODY, NOBODY)}
    assert "tatpar.toml" in owners(config)
    assert set(owners(config).values()) == {(NOBODY, NOBODY)}
    assert "chown" not in said


def test_a_backup_that_root_puts_into_a_folder_of_its_own(hub: Hub) -> None:
    """As after the old folder was moved away: nobody can know whose it is to be, so a line says what to do."""
    backup, _ = make(hub.config, hub.data, hub.backups)
    data = hub.folder / "new"
    said = run("store", "restore", backup, "--data", data, "--lang", "en")
    assert f"chown -R tatpar: {data}" in said


def test_an_office_that_root_enrols_before_the_hubs_first_start(tmp_path: Path) -> None:
    """Authority, keys and decisions are made by then, and are the hub's."""
    settings = tmp_path / "tatpar.toml"
    settings.write_text('[broker]\npublic_host = "127.0.0.1"\n', encoding="utf-8")
    data, file = somebodys(tmp_path / "data"), tmp_path / "agra.toml"
    run("enroll", "agra", "--out", file, "--config", settings, "--data", data)
    assert {"state.db", "identity", "identity/master.key", "identity/authority.pem"} <= owners(data).keys()
    assert set(owners(data).values()) == {(NOBODY, NOBODY)}
    assert file.stat().st_uid == os.geteuid(), "the office's file is of whoever asked for it"


def test_what_somebody_has_linked_to_stays_roots(tmp_path: Path) -> None:
    """Whoever may write into the folder gets nothing by it that lies elsewhere."""
    secret, outside = tmp_path / "secret", tmp_path / "outside"
    secret.write_text("root's", encoding="utf-8")
    outside.mkdir()
    (outside / "file").write_text("root's too", encoding="utf-8")
    data = somebodys(tmp_path / "data")
    (data / "hard").hardlink_to(secret)
    (data / "soft").symlink_to(secret)
    (data / "folder").symlink_to(outside)
    give_to_owner(data)
    assert {path.stat().st_uid for path in (secret, outside, outside / "file")} == {os.geteuid()}
