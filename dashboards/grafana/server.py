"""Grafana's HTTP API, as much of it as pushing needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

import urllib3

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT_S: Final = 20.0


class GrafanaError(Exception):
    """Grafana could not be asked, or refused; the text says where and what to do."""


class Server:
    """One Grafana, with a service account's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(timeout=TIMEOUT_S, retries=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.clear()

    def folder(self, uid: str) -> dict[str, Any] | None:
        """The folder, None when it is not there. Raises GrafanaError, as all of these."""
        found: dict[str, Any] | None = self._call("GET", f"/api/folders/{quote(uid)}")
        return found

    def make_folder(self, uid: str, title: str) -> None:
        """A new folder."""
        self._call("POST", "/api/folders", {"uid": uid, "title": title})

    def source(self, uid: str) -> dict[str, Any] | None:
        """The data source, None when it is not there."""
        found: dict[str, Any] | None = self._call("GET", f"/api/datasources/uid/{quote(uid)}")
        return found

    def put_source(self, body: dict[str, Any], *, new: bool) -> None:
        """Make a data source, or change the one of that uid."""
        if new:
            self._call("POST", "/api/datasources", body)
        else:
            self._call("PUT", f"/api/datasources/uid/{quote(body['uid'])}", body)

    def dashboard(self, uid: str) -> dict[str, Any] | None:
        """The dashboard with its `meta`, None when it is not there."""
        found: dict[str, Any] | None = self._call("GET", f"/api/dashboards/uid/{quote(uid)}")
        return found

    def last_message(self, uid: str) -> str:
        """What whoever saved the dashboard last wrote to it; empty as people leave it."""
        answer = self._call("GET", f"/api/dashboards/uid/{quote(uid)}/versions?limit=1") or []
        versions = answer["versions"] if isinstance(answer, dict) else answer  # a bare list before Grafana 12
        return str(versions[0].get("message", "")) if versions else ""

    def put_dashboard(self, body: dict[str, Any], folder: str, message: str) -> None:
        """Save a dashboard over what is there."""
        self._call(
            "POST",
            "/api/dashboards/db",
            {"dashboard": body, "folderUid": folder, "message": message, "overwrite": True},
        )

    def rule(self, uid: str) -> dict[str, Any] | None:
        """The alert rule, None when it is not there."""
        found: dict[str, Any] | None = self._call("GET", f"/api/v1/provisioning/alert-rules/{quote(uid)}")
        return found

    def put_rule(self, body: dict[str, Any], *, new: bool) -> None:
        """Make an alert rule, or change the one of that uid. Grafana then holds it as provisioned: not edited on the screen."""
        if new:
            self._call("POST", "/api/v1/provisioning/alert-rules", body)
        else:
            self._call("PUT", f"/api/v1/provisioning/alert-rules/{quote(body['uid'])}", body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        sent = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, self._url + path, body=sent, headers=self._headers)
        except urllib3.exceptions.HTTPError as error:
            raise GrafanaError(
                f"{self._url}: no answer ({type(error).__name__}); is Grafana there?"
            ) from error
        if answer.status == 404 and method == "GET":
            return None
        if answer.status in {401, 403}:
            raise GrafanaError(
                f"{self._url}{path}: refused ({answer.status}); give a token of a service account with the role Admin"
            )
        text = answer.data.decode("utf-8", "replace")
        if not 200 <= answer.status < 300:
            raise GrafanaError(f"{self._url}{path}: {answer.status} {text[:200]}")
        try:
            return json.loads(text)
        except ValueError as error:
            raise GrafanaError(f"{self._url}{path}: no JSON; is this Grafana's address?") from error
