"""The script: the built-in one, the corpus of broken ones, and where it is looked for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from config.errors import ConfigError
from lab.running.scope import Places, Scope, ScopeError, ScopeKind
from lab.running.script import DEFAULT_SCRIPT, QUIET, fitting, load_script, minute_of_day, script_path

CORPUS = Path(__file__).parent / "broken_scripts"
MISTAKES = sorted(path.name for path in CORPUS.glob("*.toml"))


def pinned() -> dict[str, str]:
    lines = (CORPUS / "pinned.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" => ", 1) for line in lines)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_told_in_its_pinned_line(mistake: str, places: Places) -> None:
    """A broken script is refused with the pinned line: where, what, and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        load_script(CORPUS / mistake, places)
    assert str(caught.value).replace(f"{CORPUS}/", "") == pinned()[mistake]


def test_every_pinned_line_has_its_file() -> None:
    """The pinned lines and the files of the corpus are the same set."""
    assert sorted(pinned()) == MISTAKES


def test_the_built_in_script_fits_the_built_in_deployment(places: Places) -> None:
    """Every office, provider and end that the built-in script names is there."""
    assert load_script(DEFAULT_SCRIPT, places) == load_script(None, places)


def test_the_built_in_script_leaves_out_what_a_deployment_lacks(places: Places) -> None:
    """In a deployment of other offices the built-in script keeps what is about all of them."""
    other = Places([msgspec.structs.replace(places.sites[0], id="elsewhere")], ("state",), {})
    script = load_script(None, other)
    assert script.offices == ()
    assert {rule.who for rule in script.hours} == {("all",)}
    assert [end.id for end in script.ends] == ["state"]


def test_a_rule_for_several_offices_keeps_those_that_are_there(places: Places) -> None:
    """For fewer offices a rule that names several keeps the ones that are there."""
    few = Places([site for site in places.sites if site.id == "mahoba"], places.ends, {})
    script = fitting(load_script(None, places), few)
    assert [office.who for office in script.offices] == [("mahoba",)]


def test_where_the_script_is_looked_for(tmp_path: Path) -> None:
    """The default name without a file means the built-in script; any other name means that file."""
    assert script_path(tmp_path / "tatpar.toml", "lab.toml") is None
    assert script_path(tmp_path / "tatpar.toml", "mine.toml") == tmp_path / "mine.toml"
    (tmp_path / "lab.toml").touch()
    assert script_path(tmp_path / "tatpar.toml", "lab.toml") == tmp_path / "lab.toml"
    assert script_path(DEFAULT_SCRIPT.parent / "tatpar.toml", "lab.toml") is None


def test_a_missing_script_is_told(tmp_path: Path, places: Places) -> None:
    """A script that is named and not there is told in one line."""
    with pytest.raises(ConfigError, match="there is no such file"):
        load_script(tmp_path / "mine.toml", places)


def test_times_of_faults_are_times(places: Places, tmp_path: Path) -> None:
    """A fault's time is read as TOML's own date and time."""
    path = tmp_path / "lab.toml"
    path.write_text(
        '[[kinds]]\nid = "a"\nshare = 1\naccess_ms = 1\njitter_ms = 1\n[[faults]]\nname = "cut"\nwho = ["all"]\n'
        "at = 2026-12-01T10:50:00+05:30\nminutes = 5\noutage = true\n"
    )
    fault = load_script(path, places).faults[0]
    assert fault.at.astimezone(dt.UTC) == dt.datetime(2026, 12, 1, 5, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "minutes"), [("00:00", 0), ("09:05", 545), ("23:59", 1439), ("24:00", 1440)]
)
def test_minutes_of_the_day(text: str, minutes: int) -> None:
    """Hours and minutes are minutes since midnight; 24:00 is the end of the day."""
    assert minute_of_day(text) == minutes


@pytest.mark.parametrize("text", ["9:05", "24:01", "12:60", "12:30\n", "noon", ""])
def test_no_minutes_of_the_day(text: str) -> None:
    """What is no time of day is refused."""
    with pytest.raises(ValueError, match="no time of day"):
        minute_of_day(text)


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("all", Scope(ScopeKind.ALL)),
        ("meerut", Scope(ScopeKind.SITE, "meerut")),
        ("region:west", Scope(ScopeKind.REGION, "west")),
        ("provider:provider-b", Scope(ScopeKind.PROVIDER, "provider-b")),
        ("end:state", Scope(ScopeKind.END, "state")),
    ],
)
def test_scopes_are_read_and_written(places: Places, text: str, scope: Scope) -> None:
    """A scope reads as it is written."""
    assert places.scope(text) == scope
    assert str(scope) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("merut", 'there is no office `merut` in the lab; write "meerut"'),
        ("region:vest", 'there is no region `vest` in the lab; write "west"'),
        ("isp:x", "`isp:x` is no scope; write an office's id, provider:NAME, region:NAME, end:NAME or all"),
        ("all:x", "`all:x` is no scope; write all"),
        ("site:meerut:x", 'there is no office `meerut:x` in the lab; write "meerut"'),
    ],
)
def test_wrong_scopes_are_told_with_the_nearest(places: Places, text: str, said: str) -> None:
    """A scope that is none is told with the nearest name."""
    with pytest.raises(ScopeError) as caught:
        places.scope(text)
    assert str(caught.value) == said


def test_lines_of_scopes(places: Places) -> None:
    """A scope covers the lines of its common factor and no others."""
    assert len(places.lines(Scope(ScopeKind.ALL))) == 112
    assert {end for _, end in places.lines(places.scope("end:state"))} == {"state"}
    west = places.lines(places.scope("region:west"))
    assert {site.region for site, _ in west} == {"west"}
    assert {site.id for site, _ in places.lines(places.scope("meerut"))} == {"meerut"}
    served = places.lines(places.scope("provider:provider-b"))
    assert {site.provider for site, _ in served} == {"provider-b"}
    assert len(served) == 2 * sum(site.provider == "provider-b" for site in places.sites)


def test_the_quiet_script_does_nothing() -> None:
    """The script for tests has no rules."""
    assert (QUIET.hours, QUIET.faults, QUIET.offices) == ((), (), ())
