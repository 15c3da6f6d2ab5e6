"""`tatpar changes`: where the level of a trace moved."""

from __future__ import annotations

from pathlib import Path

import click

from tatpar.options import (
    failed,
    json_option,
    unused_config_option,
    unused_data_option,
    wrong_input,
)


@click.command(
    epilog="Example: tatpar changes trace.csv --out changes.csv", short_help="where a line's level moved"
)
@unused_config_option
@unused_data_option
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "--online",
    is_flag=True,
    help="Decide as samples come, five after a change: write when the decision fell.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the indices here instead of showing them."
)
@json_option
def command(*, trace: Path, online: bool, out: Path | None, as_json: bool) -> None:
    """Find in a trace (CSV, columns epoch;rtt) the first sample of each new level, counted from 0, one a line.

    A round trip of 0 or less, or of 1000 ms or more, is a timeout. The settings are the same for every trace.
    """
    import json  # noqa: PLC0415 - keeps --help fast

    from analytics.changes.offline import changes  # noqa: PLC0415
    from analytics.changes.online import decisions  # noqa: PLC0415
    from telemetry.traces import TraceError, read_trace  # noqa: PLC0415

    try:
        values = read_trace(trace).rtt_ms
    except TraceError as error:
        wrong_input(str(error))
    found = (decisions if online else changes)(values).tolist()
    text = json.dumps(found) + "\n" if as_json else "".join(f"{index}\n" for index in found)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        failed(f"tatpar changes: {out}: {error.strerror}")
