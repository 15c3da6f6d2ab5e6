"""Runs with a past release's `telemetry` on its path: reads today's messages with the code of then.

Lines in: `{"kind": "report" or a control message's name, "payload": text}`. Lines out: what the code of then made of each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from telemetry import codec, control, messages
from telemetry.store.protocol import Received, Selection
from telemetry.store.sqlite import SqliteStore


def main() -> None:
    """Decode each; store the reports as the hub of then did."""
    assert ".zip" in codec.__file__, codec.__file__
    reports = []
    for line in sys.stdin:
        asked = json.loads(line)
        payload = asked["payload"].encode()
        if asked["kind"] == "report":
            envelope = codec.decode(payload)
            opaque = [item.reason for item in envelope.items if isinstance(item, messages.Opaque)]
            reports.append(Received(envelope, envelope.start_ns + 20 * 10**9, payload=payload))
            print(json.dumps({"again": codec.encode(envelope).decode(), "opaque": opaque}))  # noqa: T201
        else:
            message = codec.decode_control(payload, getattr(control, asked["kind"]))
            print(json.dumps({"again": codec.encode_control(message).decode(), "opaque": []}))  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "reports.db")
        fates = [fate.value for fate in store.append(reports)]
        sent = int(store.streams(Selection(0, 2**62)).columns["sent"].sum())
        store.close()
    print(json.dumps({"fates": fates, "sent": sent}))  # noqa: T201


if __name__ == "__main__":
    main()
