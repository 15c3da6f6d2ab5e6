"""The database that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.plain_file import MOST_SECRET_BYTES, must_be_plain, read_plain
from telemetry.store.errors import StoreError
from telemetry.store.server.database import Place
from telemetry.store.server.influx import Influx
from telemetry.store.server.influx1 import Influx1
from telemetry.store.server.influx2 import Influx2
from telemetry.store.server.victoria import Victoria
from telemetry.store.server.wire import Http, InfluxWriter

if TYPE_CHECKING:
    from config.settings import Store
    from telemetry.store.server.database import Database


def connect(settings: Store, folder: Path | None = None) -> Database:
    """A client of the server; nothing is asked yet.

    Args:
        settings: of a kind other than `sqlite`.
        folder: that a relative `token_file` is relative to.

    Raises:
        StoreError: the file with the token, or with the certificates, cannot be read.
    """
    token = _token(settings, folder)
    place = Place(
        f"{settings.url} ({settings.bucket})",
        settings.prefix,
        settings.bucket,
        max(settings.raw_days, settings.rollup_days),
    )
    headers = {"Authorization": f"Token {token}"} if token else {}
    certificates = _certificates(settings)

    def http(url: str) -> Http:
        return Http(url, place.where, headers, certificates=certificates)

    reads = settings.read_url or settings.url
    if settings.kind == "influxdb1":
        return Influx(Influx1(http(settings.url), place), http(reads), place)
    writer = InfluxWriter(
        settings.url, place, token=token, organisation=settings.organisation, certificates=certificates
    )
    if settings.kind == "victoriametrics":
        parts = urlsplit(reads)
        return Victoria(writer, http(reads), http(f"{parts.scheme}://{parts.netloc}"), place)
    return Influx(Influx2(writer, place, settings.organisation), http(reads), place)


def _certificates(settings: Store) -> str | None:
    if not settings.certificates:
        return None
    try:
        must_be_plain(Path(settings.certificates))
    except OSError as error:
        raise StoreError(f"store.certificates {settings.certificates}: {error.strerror}") from error
    return settings.certificates


def _token(settings: Store, folder: Path | None) -> str:
    if not settings.token_file:
        return settings.token
    path = (folder or Path()) / settings.token_file
    try:
        return read_plain(path, MOST_SECRET_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"store.token_file {path}: {error}") from error
