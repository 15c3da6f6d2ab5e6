"""What the measuring process hands over per packet: three kinds of fixed-size records, in packed arrays.

Sent      one per packet, in order of sending
Stamped   its kernel send stamp, when the kernel has told it
Reply     one per datagram received, in order of arrival, with the wire's own fields undigested
"""

from __future__ import annotations

from typing import Final

from probes.measuring.record_layout import REPLY_STRUCT, SENT_STRUCT, STAMPED_STRUCT
from telemetry.arrays import np

SENT: Final = np.dtype([
    ("sequence", "u8"),
    ("t1_ns", "i8"),
    ("session", "u4"),
    ("frame", "u4"),
    ("interval_us", "u4"),
    ("late_us", "u4"),
    ("skipped", "u4"),
    ("generation", "u2"),
    ("flags", "u2"),
])  # fmt: skip
"""`t1_ns`: user stamp, the one in the packet. `generation` counts own clock steps. `skipped`: slots before this packet
that passed unused because the process was late by more than an interval. `frame`: the window, see `frames`."""

STAMPED: Final = np.dtype([("t1_ns", "i8"), ("session", "u4"), ("sequence", "u4")])

REPLY: Final = np.dtype([
    ("t1", "u8"),
    ("t2", "u8"),
    ("t3", "u8"),
    ("t4_ns", "i8"),
    ("session", "u4"),
    ("sequence", "u4"),
    ("number", "u4"),
    ("instance", "u4"),
    ("drops", "u4"),
    ("estimate", "u2"),
    ("ssid", "u2"),
    ("octets", "u2"),
    ("generation", "u2"),
    ("mode", "u1"),
    ("t2_by", "u1"),
    ("t3_by", "u1"),
    ("flags", "u1"),
    ("dscp_told", "u1"),
    ("dscp_back", "u1"),
])  # fmt: skip
"""`t1`, `t2`, `t3`: 64-bit fields as on the wire; `t4_ns` 0 where no stamp is to be had; `number`: the reflector's own
sequence number; `octets`: UDP payload; `drops`: the socket's count of datagrams dropped so far; `mode`, `t2_by`, `t3_by`,
`instance`: our own reflector's facts, 0 from any other; `dscp_told`: DSCP with which the request
arrived at the reflector, by its answer to our Class of Service TLV, plus 1; 0: not told; `dscp_back`: the same of the reply, as it arrived here."""

for _layout, _type in ((SENT_STRUCT, SENT), (STAMPED_STRUCT, STAMPED), (REPLY_STRUCT, REPLY)):
    if _layout.size != _type.itemsize:  # both describe the same memory
        raise AssertionError(f"{_layout.format} does not match {_type}")
