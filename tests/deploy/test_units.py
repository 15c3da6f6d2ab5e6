"""The systemd units: sound, and open to as little as they need, by systemd's own judgement."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

HOUSE: Final = Path(__file__).parents[2]
UNITS: Final = HOUSE / "deploy" / "systemd"
SERVICES: Final = sorted(path.name for path in UNITS.glob("*.service"))
THRESHOLD: Final = 15
"""Tenths of systemd's exposure level, 0 to 100; a service that asks for nothing has 96 ("unsafe"), below 50 is "OK"."""
NEEDS: Final = {
    "tatpar-probe.service": (25, "CAP_NET_RAW"),
    "tatpar-reflect.service": (21, "CAP_NET_BIND_SERVICE"),
}
"""What must do more: its own threshold, and the one capability that it has."""
SYSTEM: Final = Path("/lib/systemd/system")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's folders with our units, the system's targets, and a program of the right name."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine: units read by our own eyes only")
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree(UNITS, folder / "etc" / "systemd" / "system")
    (folder / "lib" / "systemd" / "system").mkdir(parents=True)
    for target in SYSTEM.glob("*.target"):
        shutil.copy(target, folder / "lib" / "systemd" / "system", follow_symlinks=True)
    for program in ("opt/tatpar/venv/bin/tatpar", "bin/kill"):
        file = folder / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    return folder


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def offline(root: Path, threshold: int) -> list[str]:
    return ["--offline=yes", f"--root={root}", f"--threshold={threshold}", "--no-pager"]


def test_systemd_takes_every_unit(root: Path) -> None:
    """No word that it does not know, no unit that it cannot start; and it would say so."""
    names = [name.replace("@.", "@2.") for name in SERVICES]
    asked = analyze("verify", f"--root={root}", "--man=no", *names, "tatpar.target")
    ours = [line for line in asked.stderr.splitlines() if "tatpar" in line]
    assert (asked.returncode, ours) == (0, []), asked.stderr
    wrong = root / "etc" / "systemd" / "system" / "tatpar-wrong.service"
    wrong.write_text("[Service]\nExecStart=/opt/tatpar/venv/bin/tatpar\nProtectSistem=yes\n")
    assert "ProtectSistem" in analyze("verify", f"--root={root}", "--man=no", wrong.name).stderr
    wrong.unlink()


@pytest.mark.parametrize("name", SERVICES)
def test_each_unit_is_exposed_to_little(root: Path, name: str) -> None:
    """Below its threshold, with no capability or the one that it cannot do without."""
    threshold, capability = NEEDS.get(name, (THRESHOLD, ""))
    asked = analyze("security", *offline(root, threshold), name.replace("@.", "@2."))
    assert asked.returncode == 0, asked.stdout
    granted = [
        line.split()[1] for line in asked.stdout.splitlines() if line.startswith("✗ CapabilityBoundingSet")
    ]
    assert granted == (["CapabilityBoundingSet=~CAP_NET_(BIND_SERVICE|BROADCAST|RAW)"] if capability else [])
    needs = UNITS / f"{name}.d" / "20-needs.conf"
    assert needs.exists() == bool(capability)
    if capability:
        assert f"\nCapabilityBoundingSet={capability}\n" in needs.read_text(encoding="utf-8")


def test_an_unhardened_unit_is_over_the_threshold(root: Path) -> None:
    """The judgement is no formality."""
    bare = root / "etc" / "systemd" / "system" / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/kill\n")
    asked = analyze("security", *offline(root, max(threshold for threshold, _ in NEEDS.values())), bare.name)
    assert asked.returncode != 0, asked.stdout


def test_the_target_brings_every_part() -> None:
    """What is left out is left out on purpose: collectors that share, the reflector, an office's probe."""
    target = (UNITS / "tatpar.target").read_text(encoding="utf-8")
    wanted = set(re.search(r"^Wants=(.*)$", target, re.MULTILINE)[1].split())  # type: ignore[index]
    beside = {"tatpar-collect@.service", "tatpar-reflect.service", "tatpar-probe.service"}
    assert wanted == set(SERVICES) - beside
    for name in wanted:
        text = (UNITS / name).read_text(encoding="utf-8")
        assert "PartOf=tatpar.target" in text
        assert "WatchdogSec=" in text, "each of them says that it is alive"
