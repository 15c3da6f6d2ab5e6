"""Grafana's HTTP API through `grafana-client`, as much of it as pushing needs; its errors in our words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException
from requests.exceptions import InvalidJSONError, RequestException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

TIMEOUT_S: Final = 20.0


class GrafanaError(Exception):
    """Grafana could not be asked, or refused; the text says where and what to do."""


class Server:
    """One Grafana, with a service account's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        parts = urlsplit(self._url)
        host = parts.hostname or ""
        self._api = GrafanaApi(
            token,
            host=f"[{host}]" if ":" in host else host,
            port=parts.port,
            url_path_prefix=f"{parts.path.lstrip('/')}/" if parts.path else "",
            protocol=parts.scheme,
            timeout=TIMEOUT_S,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.client.s.close()

    def folder(self, uid: str) -> dict[str, Any] | None:
        """The folder, None when it is not there. Raises GrafanaError, as all of these."""
        return self._one(self._api.folder.get_folder, uid)

    def make_folder(self, uid: str, title: str) -> None:
        """A new folder."""
        with self._explained(f"folder {uid}"):
            self._api.folder.create_folder(title, uid)

    def source(self, uid: str) -> dict[str, Any] | None:
        """The data source, None when it is not there."""
        return self._one(self._api.datasource.get_datasource_by_uid, uid)

    def put_source(self, body: dict[str, Any], *, new: bool) -> None:
        """Make a data source, or change the one of that uid."""
        with self._explained(f"data source {body['uid']}"):
            if new:
                self._api.datasource.create_datasource(body)
            else:
                self._api.datasource.update_datasource_by_uid(quote(body["uid"]), body)

    def dashboard(self, uid: str) -> dict[str, Any] | None:
        """The dashboard with its `meta`, None when it is not there."""
        return self._one(self._api.dashboard.get_dashboard, uid)

    def last_message(self, uid: str) -> str:
        """What whoever saved the dashboard last wrote to it; empty as people leave it."""
        answer = self._found(self._api.dashboard_versions.get_dashboard_versions_by_uid, uid) or []
        versions = answer["versions"] if isinstance(answer, dict) else answer  # a bare list before Grafana 12
        return str(versions[0].get("message", "")) if versions else ""

    def put_dashboard(self, body: dict[str, Any], folder: str, message: str) -> None:
        """Save a dashboard over what is there."""
        with self._explained(f"dashboard {body['uid']}"):
            self._api.dashboard.update_dashboard(
                {"dashboard": body, "folderUid": folder, "message": message, "overwrite": True}
            )

    def rule(self, uid: str) -> dict[str, Any] | None:
        """The alert rule, None when it is not there."""
        return self._one(self._api.alertingprovisioning.get_alertrule, uid)

    def put_rule(self, body: dict[str, Any], *, new: bool) -> None:
        """Make an alert rule, or change the one of that uid. Grafana then holds it as provisioned: not edited on the screen."""
        with self._explained(f"alert rule {body['uid']}"):
            if new:
                self._api.alertingprovisioning.create_alertrule(body)
            else:
                self._api.alertingprovisioning.update_alertrule(quote(body["uid"]), body)

    def _one(self, ask: Callable[[str], Any], uid: str) -> dict[str, Any] | None:
        found = self._found(ask, uid)
        return found if isinstance(found, dict) else None

    def _found(self, ask: Callable[[str], Any], uid: str) -> dict[str, Any] | list[Any] | None:
        """What is there under that name, None when nothing is."""
        with self._explained(uid):
            try:
                found: object = ask(quote(uid))
            except GrafanaClientError as error:
                if error.status_code == 404:
                    return None
                raise
        if isinstance(found, dict | list):
            return found
        raise GrafanaError(f"{self._url}: no JSON; is this Grafana's address?")

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """The library's errors as one of ours."""
        try:
            yield
        except GrafanaException as error:
            if error.status_code in {401, 403}:
                raise GrafanaError(
                    f"{self._url}: {what} refused ({error.status_code}); give a token of a service account with the role Admin"
                ) from error
            raise GrafanaError(f"{self._url}: {what}: {error.message[:200]}") from error
        except InvalidJSONError as error:
            raise GrafanaError(f"{self._url}: no JSON; is this Grafana's address?") from error
        except RequestException as error:
            raise GrafanaError(
                f"{self._url}: no answer ({type(error).__name__}); is Grafana there?"
            ) from error
