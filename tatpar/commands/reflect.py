"""`tatpar reflect`: the headquarters' STAMP reflector."""

from __future__ import annotations

import json
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tatpar.terminal.options import (
    FiniteRange,
    failed,
    json_option,
    log_option,
    unused_config_option,
    unused_data_option,
    wrong_input,
)

if TYPE_CHECKING:
    from probes.reflecting.reflector import Reflector
    from probes.reflecting.reflector_policy import Network
    from tatpar.service.notify import Manager

_DEFAULT_BIND = "0.0.0.0:862"
_DEFAULT_RATE = 5000.0


def _address(text: str) -> tuple[str, int]:
    from config.address import parse_address  # noqa: PLC0415 - keeps --help fast

    host, _, port = text.rpartition(":")
    if port == "0" and host:  # not an address to send to, but one to bind: any free port
        return host.strip("[]"), 0
    address = parse_address(text)
    if address is None:
        wrong_input(f"--bind {text}: not an address; write HOST:PORT, as 0.0.0.0:862 or [::]:862")
    return address.host, address.port


def _network(text: str) -> Network:
    import ipaddress  # noqa: PLC0415

    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        wrong_input(
            f"--allow {text}: {error}; write a network or an address, as 10.1.0.0/16 or 2001:db8::/32"
        )


def _keys(file: Path | None) -> dict[int, bytes]:
    from probes.reflecting.reflector_keys import ReflectorKeysError, read_keys  # noqa: PLC0415

    if file is None:
        return {}
    try:
        return read_keys(file)
    except ReflectorKeysError as error:
        wrong_input(f"--keys {error}")
    except OSError as error:
        wrong_input(f"--keys {file}: {error.strerror}; tatpar enroll --reflector-keys prints one at the hub")


def _why(addresses: list[tuple[str, int]], error: OSError) -> str:
    """What the kernel says, and what to do about it where it keeps the port for others."""
    from probes.kernel.low_ports import low_port_remedy  # noqa: PLC0415

    remedy = low_port_remedy((port for _, port in addresses), error)
    return "; ".join(filter(None, (error.strerror or str(error), remedy)))


@click.command()
@unused_config_option
@unused_data_option
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
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(path_type=Path),
    default=None,
    help="Keys of the offices for the authenticated mode, a line each: SSID KEY. A change of the file counts a second later.",
)
@click.option("--signed-only", is_flag=True, help="Drop what is not signed by one of the keys.")
@click.option(
    "--allow", multiple=True, metavar="NETWORK", help="Answer only these sources; may be given several times."
)
@click.option(
    "--rate",
    type=FiniteRange(min=0.0, max=1e7),
    default=_DEFAULT_RATE,
    show_default=True,
    metavar="PPS",
    help="Packets a second that one source has answered (IPv6: one /64); 0 for no limit.",
)
@click.option(
    "--rehearse",
    "rehearsal_bps",
    type=FiniteRange(min=0.0, max=1e12),
    default=0.0,
    metavar="BPS",
    help="Let offices of the keys file rehearse, at most so many bits a second each way for all together; 0: not.",
)
@click.option("--ptp", is_flag=True, help="Stamp in PTP format (TAI) instead of NTP.")
@json_option
@log_option
def command(  # noqa: PLR0913 - one argument an option
    binds: tuple[str, ...],
    *,
    stateless: bool,
    keys_file: Path | None,
    signed_only: bool,
    allow: tuple[str, ...],
    rate: float,
    rehearsal_bps: float,
    ptp: bool,
    as_json: bool,
    log_format: str | None,
) -> None:
    """Answer STAMP test packets (RFC 8762) of the offices, and of any TWAMP-Light sender.

    SIGUSR1 prints the counters, SIGHUP reads the keys at once, SIGTERM ends it.

    Example: tatpar reflect --bind 0.0.0.0:862 --bind [::]:862
    """
    from probes.kernel.system import HAS_BATCHES  # noqa: PLC0415

    if not HAS_BATCHES:
        failed("tatpar reflect: needs Linux; any RFC 8762 reflector serves as well, routers have one")

    from probes.reflecting.reflector import Reflector  # noqa: PLC0415
    from probes.reflecting.reflector_policy import ReflectorPolicy  # noqa: PLC0415
    from tatpar.service.logs import set_up  # noqa: PLC0415
    from tatpar.service.notify import Manager  # noqa: PLC0415

    set_up(log_format or "text")
    manager = Manager()  # takes its address out of the environment, before any process of ours inherits it
    addresses = [_address(text) for text in binds]
    for wish, option, alone in (
        (signed_only, "--signed-only", "answers nobody"),
        (rehearsal_bps, "--rehearse", "admits nobody"),
    ):
        if wish and keys_file is None:
            wrong_input(f"{option} {alone} without keys; add --keys FILE")
    policy = ReflectorPolicy(
        rehearsal_bps=rehearsal_bps,
        keys=_keys(keys_file),
        authenticated_only=signed_only,
        allowed=tuple(_network(text) for text in allow),
        rate_pps=rate or None,
        ptp=ptp,
    )
    try:
        reflector = Reflector(addresses, stateful=not stateless, policy=policy)
    except OSError as error:
        failed(f"tatpar reflect: cannot listen on {', '.join(binds)}: {_why(addresses, error)}")
    with reflector:
        _serve(reflector, keys_file, manager, _Voice(as_json=as_json, as_log=log_format == "json"))


class _Voice:
    """What the command says while it serves: as text, as JSON, or as log lines."""

    def __init__(self, *, as_json: bool, as_log: bool) -> None:
        self._as_json = as_json
        self._as_log = as_log
        self._log = logging.getLogger("tatpar.reflect")

    def listening(self, addresses: list[tuple[str, int]]) -> str:
        """Where it listens; also as it is said to people."""
        where = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses]
        line = f"reflecting on {', '.join(where)}"
        if self._as_log:
            self._log.info("%s", line, extra={"event": "reflector.listening", "addresses": where})
        else:
            click.echo(json.dumps({"listening": where}) if self._as_json else line)
        return line

    def counters(self, counts: dict[str, int]) -> None:
        """What has come and gone so far."""
        if self._as_log:
            self._log.info("counters", extra={"event": "reflector.counters", **counts})
        else:
            click.echo(
                json.dumps(counts) if self._as_json else "  ".join(f"{k} {v}" for k, v in counts.items())
            )


def _serve(reflector: Reflector, keys_file: Path | None, manager: Manager, voice: _Voice) -> None:
    """Answer until SIGTERM or SIGINT."""
    import contextlib  # noqa: PLC0415

    from probes.reflecting.followed_keys import FollowedKeys  # noqa: PLC0415
    from tatpar.service.upon_signal import UponSignal  # noqa: PLC0415

    def say_counters() -> None:
        voice.counters(reflector.counters.as_dict())

    with contextlib.ExitStack() as stack:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        asked = stack.enter_context(UponSignal())
        if keys_file is not None:
            followed = stack.enter_context(FollowedKeys(keys_file, reflector.set_keys))
            asked.do(signal.SIGHUP, followed.read_again)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: reflector.stop())
        asked.do(signal.SIGUSR1, say_counters)
        manager.ready(voice.listening(reflector.addresses))
        reflector.serve()
        manager.stopping()
    say_counters()
