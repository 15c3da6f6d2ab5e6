"""What the hub's processes say and know of the way to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.enrolment.keys import KeyRing
from config.address import is_loopback

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings

IDENTITY: Final = "identity"


def warnings(settings: Settings) -> list[str]:
    """One line for each thing that the operator has left open by name."""
    broker = settings.broker
    said = []
    if broker.insecure and not broker.ca and not is_loopback(broker.host):
        said.append(
            f"warning: broker.insecure: reports and passwords go to and from {broker.host} without TLS; "
            "set broker.ca, or for offices broker.public_host"
        )
    if broker.is_public and not settings.must_enrol:
        said.append('warning: enrolment.required is "no": the broker alone decides who may report')
    return said


def ring(settings: Settings, data_dir: Path) -> KeyRing | None:
    """The key ring of this data folder, by which answers of probes are verified; None where nobody is enrolled.

    Raises:
        OSError, ValueError: it cannot be read, or made where there shall be one.
    """
    folder = data_dir / IDENTITY
    wanted = settings.desk_host or (folder / "master.key").exists()
    return KeyRing(folder) if wanted else None
