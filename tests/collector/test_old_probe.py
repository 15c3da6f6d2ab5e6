"""The first release's probes, recorded message by message, with today's collector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telemetry.codec import decode, decode_control
from telemetry.control import Stored
from telemetry.messages import Opaque
from telemetry.store.protocol import Selection
from tests.upgrades.recordings import messages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.server
HEARD = messages()
SITES = """id,name_en,name_hi,region,lat,lon,status
agra,Agra,आगरा,braj,27.18,78.02,linked
etah,Etah,एटा,braj,27.56,78.66,linked
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """The deployment that was recorded."""
    folder = tmp_path / "config"
    (folder / "meetings").mkdir(parents=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "tatpar.toml").write_text("[collector]\nconfirm_s = 1.0\n", encoding="utf-8")
    return folder / "tatpar.toml"


@dataclass
class Then:
    """The clock of the recording, whenever the test runs."""

    at_ns: int

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns


async def test_an_old_probes_recorded_stream_is_taken_whole(
    killable_hub: Any, eventually: Callable[..., Awaitable[None]]
) -> None:
    """Every report is stored once and understood, the probes are told what the old hub told them, and are seen on line."""
    reports = [one for one in HEARD if one.leaf == "report"]
    assert len(reports) == 16
    said = {one.site: decode_control(one.payload, Stored) for one in HEARD if one.leaf == "stored"}
    async with (
        killable_hub.office() as office,
        killable_hub.collecting(clock=Then(HEARD[-1].at_ns)) as collector,
    ):
        for one in HEARD:
            if one.leaf in {"report", "presence"}:
                properties = Properties(PacketTypes.PUBLISH)
                properties.UserProperty = list(one.properties.items())
                await office.client.publish(
                    one.topic, one.payload, qos=1, retain=one.leaf == "presence", properties=properties
                )
        await eventually(lambda: collector.counters.stored == len(reports))
        await eventually(
            lambda: all(
                office.on("stored", site) and decode_control(office.on("stored", site)[-1], Stored) == last
                for site, last in said.items()
            ),
            within_s=90,
        )
        await eventually(lambda: len(killable_hub.state.presence()) == 2)
    envelopes = [decode(one.payload) for one in reports]
    assert not any(isinstance(item, Opaque) for envelope in envelopes for item in envelope.items)
    table = killable_hub.store.streams(Selection(0, 2**62))
    assert len(table) == sum(item.__struct_config__.tag == "stream" for e in envelopes for item in e.items)
    assert collector.counters.stored == 16
