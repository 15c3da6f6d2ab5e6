"""`tatpar lab` as the operator types it."""

from __future__ import annotations

import asyncio
import json
import statistics
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from lab.running.fleet import Fleet
from lab.running.script import QUIET
from tatpar.__main__ import main

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from click.testing import Result
    from conftest import EchoReflector, Helpers

    from config.config import Config


@pytest.fixture
async def fleet(config: Config, reflector: EchoReflector, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Two offices' lines."""
    async with Fleet(
        config,
        tmp_path,
        ("127.0.0.1", 9),
        {"state": reflector.address},
        sites=("meerut", "jaunpur"),
        script=QUIET,
        truth=True,
        agents=False,
    ) as one:
        yield one


async def typed(*words: str, data: Path) -> Result:
    """What a command line prints and how it ends."""
    english = [] if words[0] == "truth" else ["--lang", "en"]
    result = await asyncio.to_thread(CliRunner().invoke, main, ["lab", *words, "--data", str(data), *english])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


async def test_break_status_heal(fleet: Fleet, tmp_path: Path) -> None:
    """An operator breaks an office, sees it in the status, and heals it."""
    broken = await typed("break", "meerut", "--loss", "0.05", "--direction", "up", data=tmp_path)
    assert broken.output == "broken: meerut (up): loss 5\N{NO-BREAK SPACE}% (1 office)\n"
    assert fleet.director.state("meerut", "state")[0].loss_ratio == 0.05
    status = await typed("status", data=tmp_path)
    assert "by hand: meerut (up): loss 5\N{NO-BREAK SPACE}%" in status.output
    healed = await typed("heal", data=tmp_path)
    assert healed.output == "healed: meerut (up): loss 5\N{NO-BREAK SPACE}%\n"
    assert fleet.director.state("meerut", "state")[0].loss_ratio == 0.0


async def test_every_option_reaches_the_line(fleet: Fleet, tmp_path: Path) -> None:
    """Each option changes what it names."""
    words = [
        "--loss",
        "0.1",
        "--burst",
        "80",
        "--delay",
        "20",
        "--jitter",
        "5",
        "--duplicate",
        "0.01",
        "--reorder",
        "0.02",
        "--rate",
        "2",
        "--queue",
        "50",
    ]
    await typed("break", "meerut", *words, data=tmp_path)
    up, down = fleet.director.state("meerut", "state")
    assert up == down
    assert (up.loss_ratio, up.loss_burst_ms, up.delay_ms, up.jitter_ms) == (0.1, 80, 20, 5)
    assert (up.duplicate_ratio, up.reorder_ratio, up.rate_bps, up.queue_ms) == (0.01, 0.02, 2e6, 50)


@pytest.mark.usefixtures("fleet")
async def test_outage_for_a_while(tmp_path: Path) -> None:
    """An outage for five minutes has its end in the status."""
    result = await typed("break", "all", "--outage", "--for", "5m", "--json", data=tmp_path)
    answer = json.loads(result.output)
    assert answer["offices"] == 2
    assert answer["fault"]["until_ns"] - answer["fault"]["since_ns"] == 300_000_000_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("break", "merut", "--loss", "0.05"), 'there is no office `merut` in the lab; write "meerut"\n'),
        (("break", "meerut"), "nothing to break; say what, as: --loss 0.05 (all: tatpar lab break --help)\n"),
        (("heal", "merut"), 'there is no office `merut` in the lab; write "meerut"\n'),
        (("heal", "meerut", "--all"), "`meerut` and --all exclude each other; write one of them\n"),
        (("truth", "merut", "state"), "the truth log knows no line merut to state\n"),
    ],
)
@pytest.mark.usefixtures("fleet")
async def test_wrong_input_ends_with_2(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """What is wrong is told in one line, and the status is 2."""
    result = await typed(*words, data=tmp_path)
    assert (result.exit_code, result.output) == (2, said)


@pytest.mark.parametrize(
    "words",
    [
        ("break", "meerut", "--loss", "5"),
        ("break", "meerut", "--loss", "-0.1"),
        ("break", "meerut", "--outage", "--for", "soon"),
        ("break", "meerut", "--outage", "--for", "0s"),
        ("break", "meerut", "--loss", "0.1", "--direction", "sideways"),
        ("history", "--weeks", "-1"),
    ],
)
async def test_values_out_of_range_end_with_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Values that cannot be are refused before anything is asked."""
    result = await typed(*words, data=tmp_path)
    assert result.exit_code == 2
    assert "Invalid value" in result.output


@pytest.mark.parametrize("words", [("break", "meerut", "--outage"), ("heal",), ("status",)])
async def test_no_fleet_ends_with_1(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Without a running fleet one line says how to start it, and the status is 1."""
    result = await typed(*words, data=tmp_path)
    assert result.exit_code == 1
    assert result.output.endswith(f"start one with: tatpar up --lab --data {tmp_path}\n")
    assert result.output.count("\n") == 1


@pytest.mark.usefixtures("fleet")
async def test_nothing_to_heal_is_said(tmp_path: Path) -> None:
    """Healing what is sound says so, and what else lies on the line."""
    await typed("break", "region:west", "--delay", "5", data=tmp_path)
    result = await typed("heal", "meerut", data=tmp_path)
    assert result.output.splitlines() == [
        "nothing was broken there by hand",
        "still there: region:west: delay +5 ms; heal it with: tatpar lab heal region:west",
    ]


async def test_truth_of_a_line(fleet: Fleet, tmp_path: Path, helpers: type[Helpers]) -> None:
    """The truth of the last minutes is shown as figures."""
    probe = helpers.Probe(fleet.relay_port("meerut", "state"))
    await asyncio.to_thread(probe.stream, 20, 0.002, least=20)
    probe.close()
    await fleet.flush_truth()
    result = await typed("truth", "meerut", "state", "--json", data=tmp_path)
    figures = json.loads(result.output)
    assert (figures["sent"], figures["received"], figures["up.lost"]) == (20, 20, 0)
    seen_ms = [(came - probe.sent_ns[seq]) / 1e6 for seq, _, came in probe.came]
    assert 0 < figures["rtt.p50_ms"] <= statistics.median(seen_ms), (
        "both its stamps lie between the probe's own two"
    )


async def test_history_adds_and_then_adds_nothing(tmp_path: Path) -> None:
    """A past is added once; the second time nothing was missing but what has passed since."""
    first = await typed("history", "--weeks", "0.01", "--json", data=tmp_path)
    answer = json.loads(first.stdout)
    assert answer["offices"] == 56
    assert answer["rollups"] > 56 * 2 * 15
    second = json.loads((await typed("history", "--weeks", "0.01", "--json", data=tmp_path)).stdout)
    assert second["rollups"] <= 56 * 2


async def test_history_explains_a_wrong_script(tmp_path: Path) -> None:
    """A mistake in the script is told with its line, and the status is 2."""
    (tmp_path / "tatpar.toml").write_text("")
    (tmp_path / "lab.toml").write_text("[distance]\ndetour = 0.5\n")
    result = await typed("history", "--config", str(tmp_path / "tatpar.toml"), data=tmp_path / "data")
    assert result.exit_code == 2
    script = tmp_path / "lab.toml"
    assert result.output == f"{script}:2: distance.detour is 0.5; write a number from 1 to 100\n"


@pytest.mark.parametrize("option", ["--loss", "--duplicate", "--delay", "--rate"])
async def test_nan_is_no_number(tmp_path: Path, option: str) -> None:
    """What no comparison refuses is refused all the same, with 2, before a fleet is looked for."""
    done = await typed("break", "meerut", option, "nan", data=tmp_path)
    assert done.exit_code == 2
    assert f"Invalid value for '{option}': nan is no number; write one in the range" in done.output
