"""Types of single fields: what a name, a count, a time or a measure may be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")]
"""A site or probe id: lower-case letters, digits and inner hyphens, at most 63 (one MQTT topic level)."""
PathName = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,31}\.[a-z0-9-]{1,63}\Z")]
"""A measured path, `<uplink>.<end>`, as `main.state`."""
Epoch = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
"""64 random bits made with the spool, in hexadecimal."""
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
TimeNs = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ms = Annotated[float, Meta(ge=0.0, le=3.6e6)]
SignedMs = Annotated[float, Meta(ge=-1e12, le=1e12)]
Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
Bps = Annotated[float, Meta(ge=0.0, le=1e13)]
