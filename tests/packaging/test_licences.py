"""Nothing is brought along under a licence that nobody has read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.licences.installed import installed_parts
from deploy.licences.notices import NOTICES, notices
from deploy.licences.part import HOUSE, Part
from deploy.licences.policy import load_policy
from deploy.licences.sbom import sbom
from deploy.licences.vendored import foreign_files, load_vendored, unowned

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def every_part() -> Sequence[Part]:
    return [*installed_parts(load_policy().read), *(row.part for row in load_vendored())]


def part(licence: str, name: str = "somebody") -> Part:
    return Part(name, "1.0", licence, "hub")


def test_every_licence_is_allowed() -> None:
    policy = load_policy()
    assert [said for each in every_part() if (said := policy.objection(each))] == []


@pytest.mark.parametrize(
    "licence",
    ["MIT", "Apache-2.0 OR GPL-3.0-only", "MIT AND PSF-2.0", "BSD-3-Clause AND (0BSD OR AGPL-3.0-only)"],
)
def test_an_allowed_way_is_enough(licence: str) -> None:
    assert load_policy().objection(part(licence)) is None


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        ("GPL-3.0-only", "is not allowed"),
        ("AGPL-3.0-or-later", "is not allowed"),
        ("MIT AND GPL-2.0-only", "is not allowed"),
        ("LGPL-3.0-or-later", "is not allowed"),
        ("", "names no licence"),
        ("BSD", "no SPDX expression"),
        ("do what you like", "no SPDX expression"),
    ],
)
def test_what_is_not_allowed_is_told(licence: str, said: str) -> None:
    objection = load_policy().objection(part(licence))
    assert objection is not None
    assert "somebody 1.0" in objection
    assert said in objection


def test_an_exception_is_for_one_package_and_one_licence() -> None:
    policy = load_policy()
    assert policy.objection(part("MPL-2.0", "certifi")) is None
    assert policy.objection(part("MPL-2.0")) is not None
    assert policy.objection(part("GPL-3.0-only", "certifi")) is not None


def test_what_the_policy_names_is_still_there() -> None:
    """A row for a package that is gone is a decision that nobody needs any more."""
    policy = load_policy()
    names = {each.name for each in every_part()}
    assert policy.exceptions.keys() <= names
    assert policy.read.keys() <= names


def test_every_foreign_file_is_put_down_and_every_text_is_there() -> None:
    rows = load_vendored()
    files = foreign_files()
    assert unowned(rows, files) == []
    for row in rows:
        assert (HOUSE / row.part.text).is_file(), row.part.name
        assert [path for path in files if row.owns(path)], f"{row.part.name}: no file is its own"


def test_a_foreign_file_that_nobody_put_down_is_found() -> None:
    assert unowned(load_vendored(), ["dashboards/wall/static/vendor/new-1.0/new.js"])


def test_the_notices_are_those_of_the_environment() -> None:
    """The same text again, but for libraries that only another Python needs."""
    written = NOTICES.read_text(encoding="utf-8")
    here = _rows(notices(every_part()))
    assert here.items() <= _rows(written).items(), "run `python -m deploy.licences notices`"
    assert set(_rows(written)) - set(here) <= _for_another_python()
    assert written.partition("## Files")[2] == notices(every_part()).partition("## Files")[2]


def test_the_bill_names_each_shipped_library_with_its_version() -> None:
    bill = json.loads(sbom(every_part()))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["specVersion"] == "1.6"
    listed = {component["name"]: component for component in bill["components"]}
    shipped = {each.name for each in every_part() if each.shipped}
    assert listed.keys() == shipped
    assert "numpy" in shipped
    assert "pytest" not in shipped
    for name, component in listed.items():
        assert component["licenses"], name
        if purl := component.get("purl"):
            assert purl == f"pkg:pypi/{name}@{metadata.version(name).replace('!', '%21')}"
    edges = {row["ref"]: row.get("dependsOn", []) for row in bill["dependencies"]}
    assert "numpy" in edges["pandas"]
    assert set(edges["tatpar"]) == {each.name for each in every_part() if each.needed_by == "base"}


def test_the_environment_is_the_locks() -> None:
    """What the bill describes is what the lock pins."""
    pinned = {
        str(canonicalize_name(wanted.name)): str(wanted.specifier).removeprefix("==")
        for wanted in _lock()
        if wanted.marker is None or wanted.marker.evaluate()
    }
    packages = {each.name: each.version for each in every_part() if not each.text}
    assert packages.items() <= pinned.items()


def test_a_part_is_put_down_to_the_first_that_needs_it() -> None:
    by_name = {each.name: each for each in every_part()}
    assert by_name["numpy"].needed_by == "base"
    assert by_name["pandas"].needed_by == "hub"
    assert by_name["distributed"].needed_by == "scale"
    assert by_name["pytest"].needed_by == "dev"
    assert not replace(by_name["numpy"], needed_by="dev").shipped


def _rows(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \| \w+ \|$", text, flags=re.MULTILINE))


def _lock() -> list[Requirement]:
    lines = (HOUSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [Requirement(line.strip(" \\")) for line in lines if line and not line.startswith((" ", "#"))]


def _for_another_python() -> set[str]:
    return {
        str(canonicalize_name(w.name)) for w in _lock() if w.marker is not None and not w.marker.evaluate()
    }
