"""The installers: what they would do, what they put where, that a second run changes nothing, and what they refuse.

Making the environment with pip is the wheel's test (`tests/packaging`); here it stands already, as at a second run.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HOUSE: Final = Path(__file__).parents[2]
DEPLOY: Final = HOUSE / "deploy"
HUB: Final = "install-hub.sh"
OFFICE: Final = "install-office.sh"
LOCKS: Final = {HUB: "requirements-hub.lock", OFFICE: "requirements-office.lock"}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    file = tmp_path / "tatpar-9.9.9-py3-none-any.whl"
    file.write_bytes(b"no real one: its bytes are only compared")
    return file


@pytest.fixture
def enrolment(tmp_path: Path) -> Path:
    file = tmp_path / "agra.enrolment.toml"
    file.write_text('hub = ["hub.example:8443"]\npin = "sha256/x"\ntoken = "one-time"\n', encoding="utf-8")
    return file


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(DEPLOY / script), *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def with_environment(root: Path, script: str, wheel: Path) -> None:
    """An environment as an earlier run has left it, of the same lock and wheel."""
    bin_ = root / "opt" / "tatpar" / "venv" / "bin"
    bin_.mkdir(parents=True)
    (bin_ / "python").write_text(f'#!/bin/sh\ncd {HOUSE} && exec {sys.executable} "$@"\n')
    (bin_ / "python").chmod(0o755)
    digest = hashlib.sha256((HOUSE / LOCKS[script]).read_bytes() + wheel.read_bytes()).hexdigest()
    (bin_.parent / ".tatpar").write_text(f"{digest}\n")


def files(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below, but the environment: its mode and content."""
    return {
        str(path.relative_to(root)): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink() and "venv" not in path.parts
    }


def test_the_office_says_what_it_would_do(wheel: Path, enrolment: Path) -> None:
    """A user without a shell, pip with hashes only, the file for its eyes alone, the unit; and it does nothing."""
    done = run(OFFICE, enrolment, "--wheel", wheel, "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    pips = [line for line in lines if "pip install" in line]
    assert "--require-hashes -r" in pips[0]
    assert LOCKS[OFFICE] in pips[0]
    assert f"--no-deps {wheel}" in pips[1]
    assert "+ chmod 0640 /etc/tatpar/enrolment.toml" in lines
    assert "+ systemctl enable --quiet tatpar-probe.service" in lines
    assert "+ systemctl restart tatpar-probe.service" in lines
    assert not Path("/opt/tatpar/venv.new").exists()


def test_the_office_twice_and_gone(tmp_path: Path, wheel: Path, enrolment: Path) -> None:
    """A second run, without the file, changes nothing; uninstalled, what it has measured stays, unless purged."""
    root = tmp_path / "root"
    with_environment(root, OFFICE, wheel)
    first = run(OFFICE, enrolment, "--wheel", wheel, "--root", root)
    assert first.returncode == 0, first.stderr
    put = files(root)
    assert put["etc/tatpar/enrolment.toml"][0] == 0o640
    assert {name for name in put if "systemd" in name} == {
        "etc/systemd/system/tatpar-.service.d/10-hardening.conf",
        "etc/systemd/system/tatpar-probe.service",
        "etc/systemd/system/tatpar-probe.service.d/20-needs.conf",
    }
    again = run(OFFICE, "--wheel", wheel, "--root", root)
    assert again.returncode == 0, again.stderr
    assert "up to date" in again.stderr
    assert files(root) == put
    (root / "var" / "lib" / "tatpar" / "spool.db").write_text("reports")
    assert run(OFFICE, "--uninstall", "--root", root).returncode == 0
    assert files(root).keys() == {"etc/tatpar/enrolment.toml", "var/lib/tatpar/spool.db"}
    assert not (root / "opt" / "tatpar").exists()
    assert run(OFFICE, "--uninstall", "--purge", "--root", root).returncode == 0
    assert files(root) == {}


def test_the_hub_twice(tmp_path: Path, wheel: Path) -> None:
    """Every unit and the settings are in place; settings that the operator has changed stay through an upgrade."""
    root = tmp_path / "root"
    with_environment(root, HUB, wheel)
    assert run(HUB, "--wheel", wheel, "--root", root).returncode == 0
    put = files(root)
    units = {
        str(path.relative_to(DEPLOY / "systemd"))
        for path in (DEPLOY / "systemd").rglob("*")
        if path.is_file()
    }
    ours = {name.removeprefix("etc/systemd/system/") for name in put if "systemd" in name}
    assert ours == {unit for unit in units if "tatpar-probe" not in unit}
    mode, text = put["etc/tatpar/tatpar.toml"]
    assert (mode, text) == (0o640, (DEPLOY / "hub" / "tatpar.toml").read_bytes())
    (root / "etc" / "tatpar" / "tatpar.toml").write_text("[deployment]\nname = 'ours'\n")
    again = run(HUB, "--wheel", wheel, "--root", root)
    assert again.returncode == 0, again.stderr
    assert files(root)["etc/tatpar/tatpar.toml"][1] == b"[deployment]\nname = 'ours'\n"
    assert run(HUB, "--uninstall", "--root", root).returncode == 0
    assert files(root).keys() == {"etc/tatpar/tatpar.toml"}


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        (OFFICE, ["--root", "/nowhere"], "not enrolled yet"),
        (OFFICE, ["gone.toml"], "there is no file gone.toml"),
        (OFFICE, [__file__, "--root", "/nowhere"], "is no enrolment file"),
        (OFFICE, ["a.toml", "b.toml"], "one enrolment file, not two"),
        (OFFICE, ["--purge"], "--purge goes with --uninstall"),
        (OFFICE, ["--strat"], "--strat is no option"),
        (HUB, ["--wheel", ""], "--wheel needs a value"),
        (HUB, ["--wheel", "gone.whl", "--root", "/nowhere"], "there is no file gone.whl"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(script: str, arguments: list[str], said: str) -> None:
    """Status 2, and nothing has been done."""
    done = run(script, *arguments, *([] if "--root" in arguments else ["--dry-run"]))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("script", [HUB, OFFICE, "office-bundle.sh"])
def test_help(script: str) -> None:
    """It begins with what the script does."""
    done = run(script, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(("Sets up", "Puts together"))
    assert "set -eu" not in done.stdout


def test_the_bundle_has_what_the_office_needs(tmp_path: Path, wheel: Path, enrolment: Path) -> None:
    """Unpacked anywhere, its installer finds everything beside it."""
    bundle = tmp_path / "bundle"
    assert run("office-bundle.sh", bundle, "--wheel", wheel).returncode == 0
    root = tmp_path / "root"
    with_environment(root, OFFICE, wheel)
    command = ["sh", str(bundle / OFFICE), str(enrolment), "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stderr, "the wheel and the lock of the bundle"
    assert "etc/systemd/system/tatpar-probe.service" in files(root)


@pytest.mark.parametrize("script", [HUB, OFFICE, "office-bundle.sh", "compose/secrets.sh"])
def test_shellcheck_finds_nothing(program: Callable[[str], str], script: str) -> None:
    done = subprocess.run(
        [program("shellcheck"), "-x", "-P", str(DEPLOY), str(DEPLOY / script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
