"""Records what a release says and keeps: `python tests/upgrades/record.py COMMIT FOLDER`.

The old program itself runs, from a checkout of its commit in a folder of its own: its hub and two of its offices, through
its own emulated lines, for two minutes. Kept are the bytes of every message on its broker, its state database, and a
report store that its own code has written (three hours, folded, rolled up, with recent rows, a hole and a tombstone)
with what its own reader reads in it. Done once a release; the recordings are never made again.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
import zstandard

from collector.broker.ports import free_port

HERE = Path(__file__).parent
RUN_S = 130
SITES = """id,name_en,name_hi,region,lat,lon,status,parent,level,provider,language,contact_email
agra,Agra,आगरा,braj,27.18,78.02,linked,,district,provider-a,hi,agra@office.example
etah,Etah,एटा,braj,27.56,78.66,linked,,district,provider-b,hi,etah@office.example
"""
MEETING = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tatpar//record//EN
BEGIN:VEVENT
UID:recorded@tatpar.example
DTSTAMP:{at}
DTSTART:{at}
DURATION:PT1H
SUMMARY:Recorded
ATTENDEE:all
END:VEVENT
END:VCALENDAR
"""


def main() -> None:
    """Record one release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        code = Path(place) / "code"
        check_out(asked.commit, code)
        data = Path(place) / "data"
        messages = run_old(code, Path(place), data)
        keep(
            asked.folder / "messages.jsonl.zst", "".join(json.dumps(one) + "\n" for one in messages).encode()
        )
        keep(asked.folder / "state.db.zst", whole_file(data / "state.db"))
        reports = Path(place) / "reports.db"
        recorded, spool = asked.folder.absolute() / "messages.jsonl.zst", Path(place) / "spool.db"
        made = [str(HERE / "record_store.py"), str(recorded), str(reports), str(spool)]
        expected = run([sys.executable, *made], code)
        keep(asked.folder / "spool.db.zst", whole_file(spool))
        keep(asked.folder / "reports.db.zst", whole_file(reports))
        (asked.folder / "reports.json").write_text(expected, encoding="utf-8")
        zip_code(code / "telemetry", asked.folder / "telemetry.zip")
    for file in sorted(asked.folder.iterdir()):
        print(f"{file}: {file.stat().st_size} bytes")  # noqa: T201


def check_out(commit: str, folder: Path) -> None:
    """The code of a commit, in a folder of its own."""
    folder.mkdir()
    root = subprocess.run(["git", "rev-parse", "--show-toplevel"], cwd=HERE, check=True, capture_output=True)
    archive = subprocess.run(
        ["git", "archive", commit], cwd=root.stdout.decode().strip(), check=True, capture_output=True
    )
    subprocess.run(["tar", "x", "-C", str(folder)], input=archive.stdout, check=True)


def zip_code(package: Path, target: Path) -> None:
    """The old codec and report store themselves, to be imported out of the file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(package.rglob("*")):
            if path.suffix == ".py" and path.parent.name not in {"words", "state"}:
                name = zipfile.ZipInfo(path.relative_to(package.parent).as_posix())
                file.writestr(name, path.read_bytes(), zipfile.ZIP_DEFLATED)


def run_old(code: Path, place: Path, data: Path) -> list[dict[str, Any]]:
    """The old hub and its two offices for a while; every message on its broker."""
    port = free_port()
    (place / "sites.csv").write_text(SITES, encoding="utf-8")
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 600))
    (place / "meetings").mkdir()
    (place / "meetings" / "recorded.ics").write_text(
        MEETING.format(at=at).replace("\n", "\r\n"), encoding="utf-8"
    )
    (place / "tatpar.toml").write_text(f"[broker]\nport = {port}\n[wall]\nport = 0\n", encoding="utf-8")
    command = ["up", "--lab", "--history", "0", "--config", str(place / "tatpar.toml"), "--data", str(data)]
    old = subprocess.Popen(
        [sys.executable, "-m", "tatpar", *command], cwd=code, env={**os.environ, "PYTHONPATH": str(code)}
    )
    try:
        with Listener(port) as listener:
            time.sleep(RUN_S)
    finally:
        old.send_signal(signal.SIGINT)
        old.wait(60)
    return listener.messages


class Listener:
    """Hears every message of a broker, in order, byte for byte."""

    def __init__(self, port: int) -> None:
        self.messages: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._port = port
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = self._heard

    def __enter__(self) -> Self:
        for _ in range(600):
            try:
                self._client.connect("127.0.0.1", self._port)
                break
            except OSError:
                time.sleep(0.1)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        properties = dict(getattr(message.properties, "UserProperty", []) or [])
        with self._lock:
            self.messages.append(
                {
                    "at_ns": time.time_ns(),
                    "topic": message.topic,
                    "retain": message.retain,
                    "properties": properties,
                    "payload": base64.b64encode(message.payload).decode(),
                }
            )


def run(command: list[str], code: Path) -> str:
    """What a program prints that sees the old code."""
    done = subprocess.run(
        command,
        cwd=code,
        env={**os.environ, "PYTHONPATH": str(code)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def whole_file(path: Path) -> bytes:
    """A database as one file, its write-ahead log included."""
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes()


def keep(path: Path, data: bytes) -> None:
    """Write squeezed."""
    path.write_bytes(zstandard.ZstdCompressor(level=19, write_checksum=True).compress(data))


if __name__ == "__main__":
    main()
