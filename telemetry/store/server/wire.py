"""HTTP to the database server: writes through `influxdb-client`, the rest through its own HTTP library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode

import urllib3
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from telemetry.store.server.database import AwayError, DeniedError, RejectedError, ServerError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telemetry.store.server.database import Place

T = TypeVar("T")
CONNECT_S: Final = 5.0
ANSWER_S: Final = 60.0
_EXPLAINED: Final = 300  # of a server's answer, characters


def error_of(where: str, status: int, headers: Mapping[str, str], body: str) -> ServerError:
    """What an answer other than success means."""
    said = " ".join(body.split())[:_EXPLAINED] or "no explanation"
    text = f"{where}: HTTP {status}: {said}"
    if status in (400, 422):
        return RejectedError(text)
    if status == 413:
        return TooLargeError(text)
    if status in (401, 403):
        return DeniedError(f"{text}; check store.token or store.token_file, and what that token may do")
    if status == 404:
        return DeniedError(
            f"{text}; check store.url, store.organisation and store.bucket, or run: tatpar store init"
        )
    return AwayError(text, _seconds(headers.get("Retry-After")))


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds (the form with a date is not used by these servers)."""
    try:
        return None if text is None else max(float(text), 0.0)
    except ValueError:
        return None


class Http:
    """Requests to one base address."""

    def __init__(
        self, base: str, where: str, headers: Mapping[str, str], *, certificates: str | None = None
    ) -> None:
        self._base = base.rstrip("/")
        self._where = where
        self._headers = dict(headers)
        timeout = urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S)
        verify: dict[str, Any] = {"ca_certs": certificates} if certificates else {}
        self._pool = urllib3.PoolManager(maxsize=4, timeout=timeout, retries=False, **verify)

    def call(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        """The body of a successful answer.

        Raises:
            ServerError: any other answer, or none.
        """
        url = f"{self._base}{path}"
        try:
            query = urlencode(dict(fields or {}))
            if body is None and method == "POST":
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = self._pool.request(method, url, body=query.encode(), headers=self._headers | form)
            else:
                answer = self._pool.request(method, f"{url}?{query}", body=body, headers=self._headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise AwayError(f"{self._where}: {_cause(error)}") from error
        if not 200 <= answer.status < 300:
            raise error_of(self._where, answer.status, answer.headers, answer.data.decode("utf-8", "replace"))
        return answer.data

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def _cause(error: BaseException) -> str:
    """A network error in few words, without the addresses of objects."""
    if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return "cannot be reached"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"no answer within {ANSWER_S:.0f} s"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection broke"
    return f"{type(error).__name__}: {error}"


class InfluxWriter:
    """The v2 write API through `influxdb-client`, with our own line-protocol strings."""

    def __init__(
        self, url: str, place: Place, *, token: str, organisation: str, certificates: str | None = None
    ) -> None:
        self._where, self._bucket = place.where, place.bucket
        self.client = InfluxDBClient(
            url=url,
            token=token or None,
            org=organisation,
            timeout=(int(1000 * CONNECT_S), int(1000 * ANSWER_S)),
            enable_gzip=False,
            ssl_ca_cert=certificates,
        )
        self._api = self.client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        """One request.

        Raises:
            ServerError: see `Database.write`.
        """
        translated(
            self._where,
            lambda: self._api.write(
                bucket=self._bucket, record="\n".join(lines), write_precision=WritePrecision.MS
            ),
        )

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self.client.close()


def translated(where: str, call: Callable[[], T]) -> T:
    """The result of a call of `influxdb-client`, its errors in our words."""
    try:
        return call()
    except ApiException as error:
        raise error_of(
            where, error.status or 0, error.headers or {}, str(error.body or error.reason or "")
        ) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise AwayError(f"{where}: {_cause(error)}") from error
