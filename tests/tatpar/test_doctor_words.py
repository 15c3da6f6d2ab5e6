"""The doctor speaks the deployment's language where its letters can be shown, English everywhere else, and JSON in English."""

from __future__ import annotations

import ast
import json
import re
import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

import tatpar.examination
from collector.outcome import RefusalCode
from probes.enrolment.credentials import FILE, Credentials, Login, save_credentials
from probes.reaching.answer import Answer
from tatpar.__main__ import main
from tatpar.examination.finding import fine, less
from tatpar.examination.parts import NAMES
from tatpar.examination.phrase import Figure, as_it_is, phrase, some
from tatpar.terminal import letters
from telemetry.grant import Grant
from telemetry.messages import ReachOutcome
from telemetry.state.db import StateDb
from telemetry.store.server.database import Wrong
from telemetry.words import catalogue, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from click.testing import Result

DEVANAGARI = re.compile("[\u0900-\u097f]")
HINDI_SCREEN: Mapping[str, str | None] = {
    "LC_ALL": "hi_IN.UTF-8",
    "TERM": "xterm-256color",
    "WT_SESSION": "1",
}
EXAMINATION = Path(tatpar.examination.__file__).parent
SPOKEN = {key.removeprefix("doctor.") for key in catalogue("en") if key.startswith("doctor.")}


def asked(
    data: Path, *words: str, env: Mapping[str, str | None] = HINDI_SCREEN, charset: str = "utf-8"
) -> Result:
    done = CliRunner(charset=charset, env=env).invoke(main, ["doctor", "--data", str(data), *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub whose watch is silent and whose collector has refused something."""
    with closing(StateDb(tmp_path / "state.db")) as state:
        state.beat("watch", 1, {})
        state.beat("collector", 1, {"refused": {"malformed": 123_456}})
    return tmp_path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Path]:
    """An office that cannot reach its hub: the port is ours, and nobody listens on it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        text = f'site = "agra"\nprobe = "p1"\n[broker]\nhost = "127.0.0.1"\nport = {port}\n'
        (tmp_path / "probe.toml").write_text(text, encoding="utf-8")
        yield tmp_path


@pytest.fixture(params=["hub", "office"])
def patient(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def test_hindi_by_default_and_english_when_asked(patient: Path) -> None:
    """Every finding and every remedy; the status is the same."""
    hindi, english = asked(patient), asked(patient, "--lang", "en")
    assert hindi.exit_code == english.exit_code
    assert not DEVANAGARI.search(english.output)
    lines = hindi.output.splitlines()
    assert len(lines) == len(english.output.splitlines())
    for line in lines:
        bare = "systemctl restart" in line
        assert DEVANAGARI.search(line) or bare, line
    assert asked(patient, "--lang", "hi").output.splitlines()[0] == lines[0]


def test_the_settings_choose_the_language(hub: Path) -> None:
    """As for every other command."""
    file = hub / "own.toml"
    file.write_text('[deployment]\nlanguage = "en"\n', encoding="utf-8")
    assert not DEVANAGARI.search(asked(hub, "--config", str(file)).output)
    assert DEVANAGARI.search(asked(hub, "--config", str(file), "--lang", "hi").output)


@pytest.mark.parametrize(("told", "is_hindi"), [("en", False), ("hi", True), ("", True), ("mr", True)])
def test_the_hub_tells_an_office_its_language(office: Path, told: str, is_hindi: bool) -> None:
    """As it came with the credentials; of an older hub, or in a language that is not ours yet, it is the default."""
    login = Login(generation=1, user="u", password="p", command_key="00")
    kept = Credentials(site="agra", probe="p1", hubs=(), pin="", token_hash="", current=login, language=told)
    save_credentials(office / FILE, kept)
    assert bool(DEVANAGARI.search(asked(office).output)) is is_hindi
    grant = Grant(
        site="agra",
        probe="p1",
        generation=2,
        brokers=("h:1",),
        root="tatpar/1",
        user="u",
        password="p",
        ssid=1,
        reflector_key="",
        command_key="00",
    )
    assert kept.followed_by(grant).language == told
    assert kept.followed_by(msgspec.structs.replace(grant, language="hi")).language == "hi"


def test_a_part_is_told_in_hindi_too(tmp_path: Path) -> None:
    """`--part`, as a person with one service asks it."""
    for name in NAMES:
        more = ("--at", "127.0.0.1:9") if name == "reflect" else ()
        done = asked(tmp_path, "--part", name, *more, "--lang", "hi")
        assert DEVANAGARI.search(done.output), name


def test_machines_read_english(patient: Path) -> None:
    """JSON has the words it always had, whatever the language."""
    found = [json.loads(asked(patient, "--json", *lang).output) for lang in ((), ("--lang", "hi"))]
    levels = [[(one["subject"], one["level"]) for one in each] for each in found]
    assert levels[0] == levels[1]
    assert not DEVANAGARI.search(json.dumps(found, ensure_ascii=False))
    assert {"clock", "time stamps", "ping", "data"} <= {one["subject"] for one in found[0]}


@pytest.mark.parametrize("name", ["ascii", "cp1252", "latin-1"])
def test_where_the_bytes_cannot_be_written_it_is_english(patient: Path, name: str) -> None:
    """Also when Hindi was asked for by name: a finding in the other language helps more than a traceback."""
    done = asked(patient, "--lang", "hi", charset=name)
    assert done.exit_code == asked(patient, "--json").exit_code
    assert re.search(r"^\* fine    data: ", done.output, re.MULTILINE)
    assert "            -> " in done.output


@pytest.mark.parametrize(
    ("env", "is_hindi"),
    [
        ({"LC_ALL": "C"}, False),
        ({"LC_ALL": "POSIX"}, False),
        ({"LC_ALL": None, "LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LC_ALL": None, "LC_CTYPE": "hi_IN.UTF-8", "LANG": "C"}, True),
        ({"LC_ALL": None, "LC_CTYPE": "C.UTF-8", "LANG": None}, True),
        ({"LC_ALL": None, "LC_CTYPE": None, "LANG": "C.UTF-8"}, True),
    ],
)
def test_a_bare_locale_gets_english(tmp_path: Path, env: dict[str, str | None], is_hindi: bool) -> None:
    """`LANG=C` asks for ASCII, though Python writes UTF-8 then (PEP 538); no locale at all, as in a container, does not."""
    done = asked(tmp_path, "--part", "watch", env=env)
    assert bool(DEVANAGARI.search(done.output)) is is_hindi
    assert DEVANAGARI.search(asked(tmp_path, "--part", "watch", "--lang", "hi", env=env).output)


@pytest.mark.parametrize(
    ("system", "env", "shown"),
    [
        ("posix", {"TERM": "linux"}, "en"),
        ("posix", {"TERM": "xterm"}, "hi"),
        ("nt", {"WT_SESSION": ""}, "hi"),
        ("nt", {}, "en"),
    ],
)
def test_a_screen_without_the_letters_gets_english(
    monkeypatch: pytest.MonkeyPatch, system: str, env: dict[str, str], shown: str
) -> None:
    """The kernel's own console and the old one of Windows have one font; by `--lang` they get what is asked for."""

    class Screen:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    there = {"LC_ALL": "hi_IN.UTF-8", **env}
    monkeypatch.setattr(letters, "os", SimpleNamespace(name=system, environ=there))
    monkeypatch.setattr(letters.sys, "stdout", Screen())
    assert letters.language_to_show(None, "hi") == shown
    assert letters.language_to_show(None, "en") == "en"
    assert letters.language_to_show("hi", "en") == "hi"


def test_what_the_catalogue_has_is_what_is_said() -> None:
    """A phrase without words would be an error at a customer's, words without a phrase are dead."""
    said = {f"why.{outcome.name.lower()}" for outcome in ReachOutcome} | {
        "level.fine",
        "level.less",
        "level.broken",
    }
    said |= {f"wrong.{kind}" for kind in Wrong} | {f"refusal.{code}" for code in RefusalCode}
    texts = set()
    for file in [*EXAMINATION.glob("*.py"), EXAMINATION.parent / "commands" / "doctor.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            texts |= {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
    called = {text for text in texts if re.fullmatch(r"[a-z]+\.[a-z_]+", text)} - {"state.db", "reports.db"}
    called -= {"authority.pem", "probe.toml"}
    assert called - SPOKEN == set()
    assert {key for key in SPOKEN if "." in key} - called == said
    assert {key for key in SPOKEN if "." not in key} <= texts | {"and_more"}


def test_every_phrase_is_called_with_what_stands_in_it() -> None:
    """The names of a call and the places of its text are the same."""
    seen = 0
    for file in [*EXAMINATION.glob("*.py"), EXAMINATION.parent / "commands" / "doctor.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="phrase"), args=[ast.Constant(value=str(key))]):
                    places = set(re.findall(r"{([a-z_]+)}", catalogue("hi")[f"doctor.{key}"]))
                    assert places == {keyword.arg for keyword in node.keywords}, key
                    seen += 1
                case _:
                    pass
    assert seen > 100


def test_each_answer_of_a_device_is_told_in_hindi() -> None:
    """With what the system said behind it."""
    from config.reach import ReachCheck
    from probes.reaching.targets import Asked
    from tatpar.examination.beside import finding

    for outcome in ReachOutcome:
        answer = Answer(outcome, 30.5, "as the system says")
        told = finding(Asked("room", ReachCheck("sip", "10.0.0.1", 5060)), answer, 0).told("hi")
        assert DEVANAGARI.search(told.text), outcome
        assert "10.0.0.1" in told.text


def test_numbers_are_grouped_as_the_language_has_it() -> None:
    """1,23,456 in Hindi; in English as it was, for scripts read it."""
    wait = phrase("reports.wait", count=123_456)
    assert wait.said("en") == "123456 wait to be taken by the hub"
    assert wait.said("hi").startswith("1,23,456 ")
    free = phrase("data.free", path="/d", free_gb=Figure(1234.56, 1))
    assert (free.said("en"), free.said("hi")) == ("/d, 1234.6 GB free", "/d, 1,234.6 GB ख़ाली")
    assert phrase("certificate.good", days=Figure(-3.2)).said("hi").startswith("−3 ")
    assert some([f"s{n}" for n in range(7)]).said("hi") == "s0, s1, s2, s3, s4 और 2 और"


def test_a_finding_is_told_whole() -> None:
    """Subject, text and remedy, in each language; without a remedy when it is fine."""
    found = less(phrase("plan"), phrase("plan.none"), phrase("plan.do_start"))
    assert found.told("en").remedy == found.remedy != found.told("hi").remedy
    assert fine(as_it_is("watch"), phrase("role.at_work")).told("hi").text == say("hi", "doctor.role.at_work")
    assert fine(as_it_is("watch"), phrase("role.at_work")).told("hi").remedy == ""


def test_a_placeholder_for_any_type() -> None:
    """Phrases stand in phrases."""
    inner: Any = (phrase("plans.last", site="agra", probe="p65"), as_it_is("etah"))
    text = phrase("plans.and_more", named=inner, more=3).said("en")
    assert text == "agra (the last one: p65), etah and 3 more sites"
