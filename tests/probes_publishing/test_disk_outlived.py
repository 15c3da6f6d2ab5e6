"""What a disk may do to an office, each with the real thing: a line in the log, a count, nothing lost, and on it goes."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from probes.publishing.spool import Spool
from probes.publishing.spool_file import SpoolError
from tests.probes_publishing.outliving import QUICK, SITE, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


pytestmark = [pytest.mark.server, pytest.mark.e2e]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of 1 MB of its own at the folder; False where we may not mount."""
    folder.mkdir()
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    ).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not an octet is to be had on the disk of the folder."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield
    ballast.unlink()


@contextlib.contextmanager
def quota(_: Path) -> Iterator[None]:
    """No file of ours may grow (RLIMIT_FSIZE): what a user without room left gets, and a test without root can have."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.needs("mount", anyway=True)
@pytest.mark.parametrize("trouble", [full, quota])
async def test_a_full_disk_is_outlived(  # noqa: PLR0917 - fixtures
    trouble: Any, make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any,
    tmp_path: Path, told: Any,
) -> None:  # fmt: skip
    """Reports wait in memory, said and counted once; with room again every one arrives, in order."""
    hub = make_hub()
    with small_disk(tmp_path / "disk") as mounted:
        office = make_office(SITE, spool=tmp_path / "disk" / "agra.db", patience=QUICK)
        wide = tuple(make_window(office.key).streams * 60)
        async with running(office, fake_measurer) as agra:
            fake_measurer.queue.put_nowait(make_window(office.key, 0))
            await eventually(lambda: agra.counters.stored == 1)
            with (trouble if mounted else quota)(tmp_path / "disk"):
                for index in range(1, 5):
                    fake_measurer.queue.put_nowait(make_window(office.key, index, streams=wide))
                await eventually(lambda: agra.counters.spool_refused > 3)
                assert len(told("spool.failed")) == 1
                assert "reports wait in memory" in told("spool.failed")[0]
            await eventually(lambda: agra.counters.stored == 5)
    assert len(told("spool.recovered")) == 1
    starts = {envelope.seq: envelope.start_ns for envelope in hub.envelopes}
    assert [starts[seq] for seq in sorted(starts)] == [make_window(office.key, i).start_ns for i in range(5)]


@pytest.mark.needs("mount", anyway=True)
async def test_a_read_only_disk_is_outlived(  # noqa: PLR0917 - fixtures
    make_hub: Any, make_office: Any, fake_measurer: Any, make_window: Any, eventually: Any,
    tmp_path: Path, told: Any,
) -> None:  # fmt: skip
    """A disk that came up read-only after a power cut: measured all the same, and stored once it is writable."""
    hub = make_hub()
    with small_disk(tmp_path / "disk") as mounted:
        disk = tmp_path / "disk"
        office = make_office(SITE, spool=disk / "agra.db", patience=QUICK)
        Spool(office.spool, site=office.site, probe=office.probe).close()
        _set_writable(disk, mounted=mounted, writable=False)
        async with running(office, fake_measurer) as agra:
            for index in range(3):
                fake_measurer.queue.put_nowait(make_window(office.key, index))
            await eventually(lambda: agra.counters.reports_made == 3 and agra.counters.spool_refused > 2)
            assert len(told("spool.failed")) == 1
            _set_writable(disk, mounted=mounted, writable=True)
            await eventually(lambda: agra.counters.stored == 3)
    assert len(told("spool.recovered")) == 1
    assert sorted(hub.seqs()) == [1, 2, 3]


def _set_writable(disk: Path, *, mounted: bool, writable: bool) -> None:
    """The mount, or (without one, and without root) the folder and what is in it."""
    if mounted:
        now = f"remount,size=1m,{'rw' if writable else 'ro'}"
        # without the options that the mount has: in a user namespace its own uid has another number in them
        subprocess.run(["mount", "--options-source", "disable", "-o", now, "tmpfs", str(disk)], check=True)
        return
    disk.chmod(0o700)
    for file in disk.iterdir():
        file.chmod(0o600 if writable else 0o400)
    disk.chmod(0o700 if writable else 0o500)
    if not writable and os.access(disk, os.W_OK):
        pytest.skip(
            "may not mount a disk, and writes where nobody may: that needs CAP_SYS_ADMIN, or less than CAP_DAC_OVERRIDE"
        )


def test_a_spool_that_cannot_be_read_only_says_so(tmp_path: Path) -> None:
    """SQLite's own word for it becomes the error that is tried again, with no number used up."""
    with contextlib.closing(Spool(tmp_path / "agra.db", site="agra", probe="p1")) as spool:
        spool._db.execute("PRAGMA query_only = ON")
        with pytest.raises(SpoolError, match="readonly"):
            spool.end_run()
        assert spool.next_seq == 1
