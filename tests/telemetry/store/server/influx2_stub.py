"""The parts of InfluxDB 2's HTTP API that the store uses, in front of a real InfluxDB 1 engine for the points themselves.

Answers follow InfluxDB 2's published API description (status codes, error bodies, fields). It is no InfluxDB 2: nothing here
shows that a real one behaves so.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

TOKEN = "t0ken-of-the-test"


class Influx2Stub:
    """Organisations, buckets and mappings in memory; `/api/v2/write` and `/query` go to the engine's database."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.orgs: list[dict[str, Any]] = []
        self.buckets: list[dict[str, Any]] = []
        self.dbrps: list[dict[str, Any]] = []
        self.changes = 0
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                if self.headers.get("Authorization") != f"Token {TOKEN}":
                    self._answer(401, {"code": "unauthorized", "message": "unauthorized access"})
                    return
                self._answer(*stub.answer(self.command, url.path, asked, body))

            do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - names of the base class

            def _answer(self, status: int, body: Any) -> None:
                data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_args: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def answer(  # noqa: PLR0911 - a table of answers
        self, method: str, path: str, asked: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Status and body."""
        match method, path.removeprefix("/api/v2/").split("/"):
            case "GET", ["orgs"]:
                found = [org for org in self.orgs if org["name"] == asked.get("org", org["name"])]
                if not found:
                    return 404, {
                        "code": "not found",
                        "message": f'organization name "{asked.get("org")}" not found',
                    }
                return 200, {"orgs": found}
            case "POST", ["orgs"]:
                return 201, self._made(self.orgs, json.loads(body))
            case "GET", ["buckets"]:
                found = [b for b in self.buckets if b["name"] == asked.get("name", b["name"])]
                return 200, {"buckets": [b for b in found if b["orgID"] == asked.get("orgID", b["orgID"])]}
            case "POST", ["buckets"]:
                return 201, self._made(self.buckets, json.loads(body))
            case "PATCH", ["buckets", bucket_id]:
                (bucket,) = [bucket for bucket in self.buckets if bucket["id"] == bucket_id]
                bucket["retentionRules"] = json.loads(body)["retentionRules"]
                self.changes += 1
                return 200, bucket
            case "GET", ["dbrps"]:
                return 200, {
                    "content": [
                        d for d in self.dbrps if d["bucketID"] == asked.get("bucketID", d["bucketID"])
                    ]
                }
            case "POST", ["dbrps"]:
                return 201, self._made(self.dbrps, json.loads(body))
            case "POST", ["write"]:
                return self._write(asked, body)
            case "POST", ["", "query"]:
                return self._query(parse_qs(body.decode()))
        return 404, {"code": "not found", "message": "path not found"}

    def _made(self, table: list[dict[str, Any]], one: dict[str, Any]) -> dict[str, Any]:
        self.changes += 1
        table.append(one | {"id": f"{len(table) + 1:016x}"})
        return table[-1]

    def _write(self, asked: dict[str, str], body: bytes) -> tuple[int, Any]:
        if asked["bucket"] not in {bucket["name"] for bucket in self.buckets}:
            return 404, {"code": "not found", "message": f'bucket "{asked["bucket"]}" not found'}
        query = urlencode({"db": asked["bucket"], "precision": asked["precision"]})
        answer = urllib3.request("POST", f"{self.engine}/write?{query}", body=body, retries=False)
        if answer.status == 204:
            return 204, None
        return answer.status, {"code": "invalid", "message": answer.data.decode()}

    def _query(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        asked = {name: values[0] for name, values in form.items()}
        if asked["db"] not in {dbrp["database"] for dbrp in self.dbrps}:
            return 200, {"results": [{"statement_id": 0, "error": f"database not found: {asked['db']}"}]}
        answer = urllib3.request("GET", f"{self.engine}/query?{urlencode(asked)}", retries=False)
        return answer.status, answer.data
