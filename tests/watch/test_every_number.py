"""Every number that an operator can write is either refused in one line, or the rooms work with it."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Final

import msgspec
import pytest
from msgspec import inspect

from alerts.service import Alerts
from collector.plans import plan_everyone
from config.errors import ConfigError
from config.live import LiveConfig, ReloadOutcome
from config.load import load_config
from config.profiles import Limits
from config.settings import Settings
from lab.running.scope import Places
from lab.running.script import DEFAULT_SCRIPT, Script, load_script
from probes.publishing.probe_file import ProbeTables, load_probe_file
from tatpar.watching.watch import Watch
from telemetry.store.open import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Town

HOSTILE: Final = ("1e300", "-1e300", "-1", "0", "1e-300", "nan", "inf", "-inf", "9" * 400, "true")
Key = tuple[str, str]


def _numbers(kind: type) -> dict[Key, inspect.IntType | inspect.FloatType]:
    """(table, key) of every number of the tables of the first level."""
    found = {}
    for section in msgspec.structs.fields(kind):
        table = _bare(inspect.type_info(section.type))
        for field in table.fields if isinstance(table, inspect.StructType) else ():
            number = _bare(field.type)
            if isinstance(number, inspect.IntType | inspect.FloatType):
                found[section.encode_name, field.encode_name] = number
    return found


def _bare(kind: inspect.Type) -> inspect.Type:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


SETTINGS, PROBE = _numbers(Settings), _numbers(ProbeTables)


def _bounds(kind: type, key: Key) -> list[str]:
    number = _numbers(kind)[key]
    return [str(number.ge), str(number.le)]


@pytest.mark.parametrize("key", [*SETTINGS, *PROBE], ids=".".join)
def test_every_number_has_a_range_with_two_ends(key: Key) -> None:
    """No number of the settings is open to either side."""
    number = {**SETTINGS, **PROBE}[key]
    assert number.ge is not None
    assert number.le is not None


@pytest.mark.parametrize("key", SETTINGS, ids=".".join)
def test_hostile_number_is_refused_in_one_line_or_works(town: Town, key: Key) -> None:
    """Zero, a negative, a giant, nan and infinity: one line with file, line and a remedy, or a hub at work."""
    file = town.folder / "tatpar.toml"
    for text in (*HOSTILE, *_bounds(Settings, key)):
        file.write_text(f"[{key[0]}]\n{_written(key, text)}", encoding="utf-8")
        live = _loaded_or_refused(file, rf"tatpar\.toml:2: {key[0]}\.{key[1]} is .+; write a")
        if live is not None and key[0] == "alerts":
            _alerts_work(town, live)
        elif live is not None:
            _rooms_work(town, live)


def _written(key: Key, text: str) -> str:
    line = f"{key[1]} = {text}\n"
    other = {"base_pps": f"meeting_pps = {text}\n", "meeting_pps": "base_pps = 0.1\n"}
    other |= {"warning_min": "urgent_min = 0\n", "urgent_min": "warning_min = 10080\n"}
    other |= {"plan_min": "margin_min = 0\n"}
    return line + other.get(key[1], "")  # the two must fit together


def _loaded_or_refused(file: Path, pattern: str) -> LiveConfig | None:
    try:
        return LiveConfig(file)
    except ConfigError as error:
        _one_line(error, pattern)
        return None


def _one_line(error: ConfigError, pattern: str) -> None:
    assert re.search(pattern, str(error)), str(error)
    assert "\n" not in str(error)


def _alerts_work(town: Town, live: LiveConfig) -> None:
    """The alerts look, twice."""
    with closing(Alerts(live, town.state)) as alerts:
        alerts.step(town.now_ns)
        alerts.step(town.now_ns + 20 * 10**9)


def _rooms_work(town: Town, live: LiveConfig) -> None:
    """What the rooms do with the numbers, each once."""
    settings = live.current.settings
    with closing(open_writer(settings.store, town.folder)) as store:
        store.maintain(town.now_ns)
    plan_everyone(live.current, town.now_ns)
    town.state.release_lease("watch", town.watch._lease.holder)
    watch = town.watch = Watch(live, town.reader, town.state, town.clock)
    assert watch.step(town.now_ns).looked
    assert watch.refresh_past(town.now_ns) is not None
    watch.settle(town.now_ns)


@pytest.mark.parametrize("key", PROBE, ids=".".join)
def test_hostile_number_of_a_probe_file_is_refused_or_loads(tmp_path: Path, key: Key) -> None:
    """The same of `probe.toml`."""
    file = tmp_path / "probe.toml"
    for text in (*HOSTILE, *_bounds(ProbeTables, key)):
        own = "host = '127.0.0.1'\n" if key[0] == "broker" else ""
        other = "" if own else "[broker]\nhost = '127.0.0.1'\n"
        file.write_text(f"site = 'agra'\n[{key[0]}]\n{key[1]} = {text}\n{own}{other}", encoding="utf-8")
        try:
            load_probe_file(file, tmp_path)
        except ConfigError as error:
            _one_line(error, rf"probe\.toml:3: {key[0]}\.{key[1]} is .+; write a")


@pytest.mark.parametrize("limit", [field.name for field in msgspec.structs.fields(Limits)])
def test_hostile_limit_of_a_call_profile_is_refused_or_works(town: Town, limit: str) -> None:
    """The same of a call profile's limits, with which the watch then judges."""
    own = '[[profile]]\nid = "own"\nname_en = "Own"\nname_hi = "Own"\nrank = 1\nsource = "test"\n'
    for text in HOSTILE:
        (town.folder / "profiles.toml").write_text(
            f"{own}[profile.target]\n[profile.alarm]\n{limit} = {text}\n", encoding="utf-8"
        )
        (town.folder / "tatpar.toml").write_text('[meetings]\ndefault_profile = "own"\n', encoding="utf-8")
        live = _loaded_or_refused(town.folder / "tatpar.toml", r"profiles\.toml:9: .+; write a")
        if live is not None:
            _rooms_work(town, live)


def test_hostile_numbers_of_a_lab_script_are_refused_or_load(tmp_path: Path) -> None:
    """The same of every number that the reference script writes."""
    config = load_config()
    linked = config.registry.linked()
    places = Places(linked, list(config.headquarters), {site.id: site.provider for site in linked})
    lines = DEFAULT_SCRIPT.read_text(encoding="utf-8").splitlines()
    numbered = [i for i, line in enumerate(lines) if re.match(r"\w+ = -?[\d.]+(\s|$)", line)]
    assert len(numbered) > 20
    file = tmp_path / "lab.toml"
    for index in numbered:
        for text in HOSTILE:
            changed = re.sub(r"= -?[\d.]+", f"= {text}", lines[index], count=1)
            file.write_text("\n".join([*lines[:index], changed, *lines[index + 1 :]]), encoding="utf-8")
            try:
                assert isinstance(load_script(file, places), Script)
            except ConfigError as error:
                _one_line(error, r"lab\.toml:\d+: .+; ")


def test_running_hub_refuses_a_giant_and_keeps_working(town: Town) -> None:
    """A number without sense written under a running watch is refused; the watch goes on with the old one."""
    town.watch.step(town.now_ns)
    file = town.folder / "tatpar.toml"
    file.write_text("[watch]\nforecast_days = 1e300\n", encoding="utf-8")
    assert town.live.refresh().outcome is ReloadOutcome.REFUSED
    assert town.live.current.settings.watch.forecast_days == 2
    town.play(20)
    assert town.verdict("agra").state
