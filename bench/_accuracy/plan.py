"""What all tools have in common: rate, size, ports, and the span that each of them measures."""

from __future__ import annotations

from typing import Final

RATE_PPS: Final = 50
PAYLOAD: Final = 172
"""Octets behind the UDP header; of pings behind the IP header less ICMP's own eight."""
IP_OCTETS: Final = PAYLOAD + 28
SECONDS: Final = 15
PACKETS: Final = RATE_PPS * SECONDS
INTERVAL_MS: Final = 1000 // RATE_PPS
STAMP_PORT: Final = 862
IRTT_PORT: Final = 2112
IPERF_UP_PORT: Final = 5201
IPERF_DOWN_PORT: Final = 5202
CROWD_PORT: Final = 5203
DOUBT_PORT: Final = 7100

Seen = dict[str, float]
"""Figures by column; a column is absent where a tool does not tell it, or its definition cannot be met."""
RTT_P50: Final = "rtt_p50_us"
RTT_P99: Final = "rtt_p99_us"
JITTER_UP: Final = "jitter_up_us"
JITTER_DOWN: Final = "jitter_down_us"
LOST_UP: Final = "lost_up_packets"
LOST_DOWN: Final = "lost_down_packets"
LOST: Final = "lost_packets"
COLUMNS: Final = (RTT_P50, RTT_P99, JITTER_UP, JITTER_DOWN, LOST_UP, LOST_DOWN, LOST)


def whole_span(start_ns: int) -> tuple[int, int]:
    """From before the first packet of a tool that begins with the span, until well after the last."""
    return start_ns - 1_000_000_000, start_ns + (SECONDS + 10) * 1_000_000_000
