"""A stand-in for Grafana's HTTP API that keeps what it is given: data sources, folders, dashboards with their versions."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "glsa_of_the_test"


class Kept:
    """What the server holds."""

    def __init__(self) -> None:
        self.sources: dict[str, dict[str, Any]] = {}
        self.folders: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, list[dict[str, Any]]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.writes = 0
        self.asked: list[str] = []
        self.url = ""

    def edited(self, uid: str) -> None:
        """Somebody saves a dashboard on the screen."""
        body = self.dashboards[uid][-1]["dashboard"] | {"title": "mine"}
        self.dashboards[uid].append({"dashboard": body, "message": ""})

    def get(self, path: str) -> Any:
        match path.partition("?")[0].strip("/").split("/")[1:]:
            case ["datasources", "uid", uid]:
                return self.sources.get(uid)
            case ["v1", "provisioning", "alert-rules", uid]:
                return self.rules.get(uid)
            case ["folders", uid]:
                return self.folders.get(uid)
            case ["dashboards", "uid", uid] if uid in self.dashboards:
                newest = self.dashboards[uid][-1]
                return {"dashboard": newest["dashboard"], "meta": {"version": len(self.dashboards[uid])}}
            case ["dashboards", "uid", uid, "versions"]:
                saved = list(reversed(self.dashboards[uid]))
                return {"versions": [{"message": one["message"]} for one in saved]}
        return None

    def put(self, path: str, body: dict[str, Any]) -> Any:
        self.writes += 1
        match path.strip("/").split("/")[1:]:
            case ["datasources"] | ["datasources", "uid", _]:
                self.sources[body["uid"]] = {"id": 1, "readOnly": False, **body}
            case ["v1", "provisioning", "alert-rules"] | ["v1", "provisioning", "alert-rules", _]:
                assert body["folderUID"] in self.folders
                self.rules[body["uid"]] = {"id": 1, **body, "provenance": "api"}
            case ["folders"]:
                self.folders[body["uid"]] = body
            case ["dashboards", "db"]:
                assert body["folderUid"] in self.folders
                self.dashboards.setdefault(body["dashboard"]["uid"], []).append(body)
            case _:
                raise AssertionError(path)
        return {"status": "success"}


@contextmanager
def grafana(below: str = "") -> Iterator[Kept]:
    """The stub on a free port, `below` a path if need be."""
    kept = Kept()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _allowed(self) -> bool:
            allowed = self.headers["Authorization"] == f"Bearer {TOKEN}"
            if not allowed:
                self._answer(401, {"message": "Unauthorized"})
            return allowed

        def do_GET(self) -> None:
            kept.asked.append(self.path)
            if self._allowed():
                found = kept.get(self.path.removeprefix(below))
                self._answer(404 if found is None else 200, found or {"message": "not found"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self._allowed():
                self._answer(200, kept.put(self.path.removeprefix(below), body))

        do_PUT = do_POST  # noqa: N815 - the name that http.server looks for

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}{below}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="grafana stub"
    )
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
