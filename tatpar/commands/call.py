"""`tatpar call`: what the calls in a capture got."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import (
    explained,
    explains_config,
    failed,
    json_option,
    unused_config_option,
    unused_data_option,
    wrong_input,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.call.flow_total import FlowTotal
    from probes.call.measure_file import Measured

QUIET_S = 2.0


@click.command(
    epilog="Example: tatpar call meeting.pcapng --host 10.1.2.0/24",
    short_help="what the calls in a capture got",
)
@unused_config_option
@unused_data_option
@click.argument("capture", type=click.Path(path_type=Path))
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="ADDRESS",
    help="The room's device, or its network; may be given again. Tells up from down, and leaves all else out.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="PORT",
    help="Where a call that is no RTP is looked for, as 9000 or 8801-8810; may be given again. Default: the known platforms'.",
)
@json_option
@explains_config
def command(capture: Path, hosts: tuple[str, ...], ports: tuple[str, ...], *, as_json: bool) -> None:
    """Measure the calls in a pcap or pcapng file: bitrate, loss, jitter, frames and freezes of each flow.

    RTP is found by its headers alone, encrypted (SRTP) or not. Nothing behind the headers is read or kept.

    Ends with 0, 1 when the file cannot be read, 2 when it is no capture.
    """
    from probes.call.call_meter import CallRule  # noqa: PLC0415 - keeps --help fast
    from probes.call.capture_file import CaptureError  # noqa: PLC0415
    from probes.call.measure_file import measure_file  # noqa: PLC0415
    from probes.call.ports import PLATFORM_PORTS, port_ranges  # noqa: PLC0415
    from probes.call.sides import networks  # noqa: PLC0415

    try:
        rule = CallRule(hosts=networks(hosts), ports=port_ranges(ports or PLATFORM_PORTS))
    except ValueError as error:
        wrong_input(f"tatpar call: {error}; write --host 10.1.2.3 or 10.1.2.0/24, --port 9000 or 8801-8810")
    try:
        measured = measure_file(capture, rule, _Progress(capture))
    except CaptureError as error:
        wrong_input(f"{capture}: {error}")
    except OSError as error:
        failed(explained(error))
    if as_json:
        click.echo(json.dumps(_figures(measured), indent=2))
        return
    click.echo(_table(measured))


class _Progress:
    """Says how far it is when it takes longer than a moment."""

    def __init__(self, capture: Path) -> None:
        import time  # noqa: PLC0415

        self._clock = time.monotonic
        self._capture = capture
        self._said_s = self._clock()

    def __call__(self, ratio: float) -> None:
        now_s = self._clock()
        if now_s - self._said_s >= QUIET_S:
            self._said_s = now_s
            click.echo(f"{self._capture}: {ratio:.0%} read", file=sys.stderr)


def _figures(measured: Measured) -> dict[str, object]:
    return {
        "packets": measured.packets,
        "flows_refused": measured.flows_refused,
        "flows": [_flow(total) for total in measured.flows],
    }


def _flow(total: FlowTotal) -> dict[str, object]:
    from dataclasses import asdict  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    figures = total.figures()
    found = {
        "flow": total.windows[0].flow,
        "media": total.media.value,
        "direction": total.name.way.value,
        "estimated": total.windows[0].estimated,
        "source": str(total.name.source),
        "destination": str(total.name.destination),
        "ssrc": None if total.windows[0].estimated else f"0x{total.name.ssrc:08x}",
        "first_ns": total.first_ns,
        **asdict(figures),
        "bitrate_bps": figures.bitrate_bps,
        "frames_per_s": figures.frames_per_s,
        "tshark_lost": figures.cumulative_lost,
        "tshark_jitter_mean_ms": total.as_tshark.mean_ms,
        "tshark_jitter_max_ms": total.as_tshark.max_ms,
    }
    if total.windows[0].estimated:  # what is not known is absent
        found |= dict.fromkeys(("expected", "lost", "duplicated", "reordered", "tshark_lost"))
    kept: dict[str, object] = {key: value for key, value in found.items() if value is not None}
    kept["windows"] = [
        {"start_ns": window.start_ns, **msgspec.to_builtins(window.item())} for window in total.windows
    ]
    return kept


def _table(measured: Measured) -> str:
    if not measured.flows:
        return f"no call among {measured.packets} UDP packets (--port PORT looks for calls that are no RTP on other ports)"
    head = ("", "media", "from", "to", "packets", "lost", "loss %", "jitter ms", "max", "kbit/s", "fps", "freezes", "worst run", "burst %")  # fmt: skip
    rows = [head, *(_row(total) for total in measured.flows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    if any(total.windows[0].estimated for total in measured.flows):
        lines.append("~ no RTP: frames estimated from packet sizes, loss and jitter not known")
    if measured.flows_refused:
        lines.append(
            f"{measured.flows_refused} times a flow found no room; name the room's device with --host"
        )
    return "\n".join(lines)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    texts = 4
    return [
        cell.ljust(width) if at < texts else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _row(total: FlowTotal) -> tuple[str, ...]:
    figures, estimated = total.figures(), total.windows[0].estimated
    loss = 100 * figures.lost / figures.expected if figures.expected else None
    return (
        total.name.way.value,
        ("~" if estimated else "") + total.media.value,
        str(total.name.source),
        str(total.name.destination),
        str(figures.packets),
        "" if estimated else str(figures.lost),
        _number(loss, 2),
        _number(figures.jitter_ms, 2),
        _number(figures.jitter_max_ms, 2),
        _number(figures.bitrate_bps and figures.bitrate_bps / 1e3, 0),
        _number(figures.frames_per_s, 1),
        "" if figures.frames is None else str(figures.freezes),
        "" if estimated else str(figures.longest_loss_run),
        _number(None if figures.burst_density is None else 100 * figures.burst_density, 1),
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
