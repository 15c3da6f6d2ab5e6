"""The database that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from telemetry.store.errors import StoreError
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
        StoreError: the file with the token cannot be read.
    """
    token = _token(settings, folder)
    where = f"{settings.url} ({settings.bucket})"
    days = max(settings.raw_days, settings.rollup_days)
    headers = {"Authorization": f"Token {token}"} if token else {}
    certificates = settings.certificates or None
    reads = Http(settings.read_url or settings.url, where, headers, certificates=certificates)
    if settings.kind == "influxdb1":
        one = Influx1(
            Http(settings.url, where, headers, certificates=certificates),
            where=where, database=settings.bucket, days=days,
        )  # fmt: skip
        return Influx(one, reads, where=where, prefix=settings.prefix, database=settings.bucket)
    writer = InfluxWriter(
        settings.url,
        where,
        token=token,
        organisation=settings.organisation,
        bucket=settings.bucket,
        certificates=certificates,
    )
    if settings.kind == "victoriametrics":
        parts = urlsplit(settings.read_url or settings.url)
        root = Http(f"{parts.scheme}://{parts.netloc}", where, headers, certificates=certificates)
        return Victoria(writer, reads, root, where=where, prefix=settings.prefix, days=days)
    two = Influx2(
        writer, where=where, organisation=settings.organisation, bucket=settings.bucket, days=days
    )
    return Influx(two, reads, where=where, prefix=settings.prefix, database=settings.bucket)


def _token(settings: Store, folder: Path | None) -> str:
    if not settings.token_file:
        return settings.token
    path = (folder or Path()) / settings.token_file
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"store.token_file {path}: {error}") from error
