"""`tatpar reflect`: the headquarters' STAMP reflector."""

from __future__ import annotations

import click

from tatpar.options import failed, json_option, log_option, wrong_input

_DEFAULT_BIND = "0.0.0.0:862"


def _address(text: str) -> tuple[str, int]:
    from config.address import parse_address  # noqa: PLC0415 - keeps --help fast

    host, _, port = text.rpartition(":")
    if port == "0" and host:  # not an address to send to, but one to bind: any free port
        return host.strip("[]"), 0
    address = parse_address(text)
    if address is None:
        wrong_input(f"--bind {text}: not an address; write HOST:PORT, as 0.0.0.0:862 or [::]:862")
    return address.host, address.port


@click.command()
@click.option(
    "--bind",
    "binds",
    multiple=True,
    default=[_DEFAULT_BIND],
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; may be given several times, one for each end. Port 0 takes a free one.",
)
@click.option(
    "--stateless", is_flag=True, help="Repeat the sender's numbers: the direction of loss stays unknown."
)
@json_option
@log_option
def command(binds: tuple[str, ...], *, stateless: bool, as_json: bool, log_format: str | None) -> None:
    """Answer STAMP test packets (RFC 8762) of the offices, and of any TWAMP-Light sender.

    SIGUSR1 prints the counters, SIGTERM ends it.

    Example: tatpar reflect --bind 0.0.0.0:862 --bind [::]:862
    """
    import json  # noqa: PLC0415
    import logging  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from probes.reflector import Reflector  # noqa: PLC0415
    from tatpar.logs import set_up  # noqa: PLC0415

    set_up(log_format or "text")
    log = logging.getLogger("tatpar.reflect")

    addresses = [_address(text) for text in binds]
    try:
        reflector = Reflector(addresses, stateful=not stateless)
    except OSError as error:
        failed(f"tatpar reflect: cannot listen on {', '.join(binds)}: {error.strerror or error}")

    def say_counters() -> None:
        counts = reflector.counters.as_dict()
        if log_format == "json":
            log.info("counters", extra={"event": "reflector.counters", **counts})
            return
        click.echo(json.dumps(counts) if as_json else "  ".join(f"{k} {v}" for k, v in counts.items()))

    with reflector:
        signal.signal(signal.SIGTERM, lambda *_: reflector.stop())
        signal.signal(signal.SIGINT, lambda *_: reflector.stop())
        signal.signal(signal.SIGUSR1, lambda *_: say_counters())
        where = [
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in reflector.addresses
        ]
        listening = f"reflecting on {', '.join(where)}"
        if log_format == "json":
            log.info("%s", listening, extra={"event": "reflector.listening", "addresses": where})
        else:
            click.echo(json.dumps({"listening": where}) if as_json else listening)
        reflector.serve()
        say_counters()
