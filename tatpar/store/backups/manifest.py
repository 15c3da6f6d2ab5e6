"""What a backup holds, in one file that is written last: a folder without it is no backup."""

from __future__ import annotations

from hashlib import file_digest
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from config.plain_file import open_plain, read_plain

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "manifest.json"
FORMAT: Final = 1
SEAL: Final = "manifest.sha256"
"""The manifest's own digest, as sha256sum writes and checks it."""


class BackupError(Exception):
    """A backup cannot be made, read or put back; the text says where, what, and what to do."""


class NotEmptyError(BackupError):
    """There is something where a backup is to be put back."""


class Entry(Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    path: str
    """Within the backup: `data/…` goes back into the data folder, `config/…` beside the settings."""
    bytes: Annotated[int, Meta(ge=0)]
    sha256: str
    mode: int
    """Permissions that it is put back with; the copy itself is readable by its owner alone."""
    schema: int | None = None
    """Of a database: the number of schema steps behind it."""
    origin: str = ""
    """Where it lay, when that was not in the folder of the settings."""


class Manifest(Struct, frozen=True, kw_only=True):
    """All of a backup."""

    format: int = FORMAT
    program: str
    """The version that made it."""
    moment_ns: int
    """All databases are as they were then, to within `spread_ms`."""
    spread_ms: float
    took_s: float
    store: str
    """`sqlite`, `victoriametrics` or `influxdb`: of the last two the server's own data is not in here."""
    settings: str = ""
    """Name of the settings file below `config/`; empty: the hub ran on the built-in ones."""
    files: tuple[Entry, ...]
    sealed: bool = False
    """Whether a file beside it holds its digest; those of older releases have none."""
    strangers: tuple[str, ...] = ()
    """What lay in the data folder, is not in here, and is not known to be of no use."""

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(entry.bytes for entry in self.files)


def read_manifest(backup: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: there is none, it cannot be read, or a newer version wrote it.
    """
    path = backup / FILE
    try:
        raw = read_plain(path)
    except OSError as error:
        raise BackupError(
            f"{backup}: no backup, or one that was never finished ({FILE}: {error.strerror}); name the folder that "
            "`tatpar store backup` printed"
        ) from error
    try:
        version = msgspec.json.decode(raw, type=dict[str, object]).get("format")
        if isinstance(version, int) and version > FORMAT:
            raise BackupError(
                f"{path}: the backup has format {version}, this version knows up to {FORMAT}; use the newer version"
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError(f"{path}: damaged ({error}); take another backup") from error
    for entry in manifest.files:
        top, *below = entry.path.split("/")
        outside = not below or {"", ".", ".."} & set(below) or "\0" in entry.path
        if top not in {"data", "config"} or outside or not 0 <= entry.mode <= 0o777:
            raise BackupError(f"{path}: {entry.path!r} does not lie in a backup; take another backup")
    return manifest


def write_seal(backup: Path) -> Path:
    """Put the digest beside the manifest; its file."""
    path = backup / SEAL
    path.write_text(f"{sha256_of(backup / FILE)}  {FILE}\n", encoding="ascii")
    path.chmod(0o600)
    return path


def seal_fault(backup: Path, manifest: Manifest) -> str:
    """Why the manifest cannot be believed; empty when it can, or was made before manifests were sealed."""
    try:
        said = read_plain(backup / SEAL, 1024).decode("ascii", "replace").split()
    except FileNotFoundError:
        lost = f"{SEAL}: is not there, so nothing vouches for {FILE}"
        return lost if manifest.sealed else ""
    except OSError as error:
        return f"{SEAL}: {error.strerror}"
    if said[:1] != [sha256_of(backup / FILE)]:
        return f"{FILE}: its content is not what was written (SHA-256 differs from {SEAL})"
    return ""


def sha256_of(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    with open_plain(path) as file:
        return file_digest(file, "sha256").hexdigest()
