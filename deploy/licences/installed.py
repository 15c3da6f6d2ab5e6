"""What the environment holds: each package that an extra of ours brings, with its licence."""

from __future__ import annotations

from collections import deque
from importlib import metadata
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.licences.part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OURS: Final = "tatpar"
EXTRAS: Final = ("base", "hub", "scale", "dev")
"""In the order in which a package is put down: one that the base needs is the base's, whoever else needs it."""
_FROM_CLASSIFIER: Final = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""The classifiers that name one licence; `BSD License` could be three."""


def installed_parts(read: Mapping[str, str]) -> list[Part]:
    """Every package that `tatpar` and its extras bring here, sorted by name.

    Args:
        read: package → SPDX expression, for those whose metadata is silent or vague.

    Raises:
        PackageNotFoundError: a package that is asked for is not installed: run `make setup`.
    """
    found: dict[str, Part] = {}
    for extra in EXTRAS:
        for name in _closure(extra):
            if name not in found:
                distribution = metadata.distribution(name)
                needs = tuple(sorted({need for need, _ in _asked(distribution, frozenset())}))
                found[name] = Part(
                    name, distribution.version, _licence(distribution, read), extra, needs=needs
                )
    return [found[name] for name in sorted(found)]


def _closure(extra: str) -> Iterator[str]:
    """Each package behind one extra of ours, the extras that packages ask of each other included."""
    waiting = deque(_asked(metadata.distribution(OURS), frozenset({extra})))
    seen = set()
    while waiting:
        asked = waiting.popleft()
        if asked in seen:
            continue
        seen.add(asked)
        name, extras = asked
        yield name
        waiting.extend(_asked(metadata.distribution(name), extras))


def _asked(
    distribution: metadata.Distribution, extras: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    """What a package asks for on this machine: (name, extras)."""
    for line in distribution.requires or ():
        wanted = Requirement(line)
        chosen = ({"extra": extra} for extra in (extras or {""}))
        if wanted.marker is None or any(wanted.marker.evaluate(environment) for environment in chosen):
            yield str(canonicalize_name(wanted.name)), frozenset(wanted.extras)


def _licence(distribution: metadata.Distribution, read: Mapping[str, str]) -> str:
    """The SPDX expression: what we read ourselves, else the metadata's own, else a classifier that can mean only one."""
    name = str(canonicalize_name(distribution.name))
    fields = distribution.metadata
    if name in read:
        return read[name]
    if "License-Expression" in fields:
        return fields["License-Expression"]
    short = fields["License"].strip() if "License" in fields else ""
    if short and "\n" not in short and " " not in short:
        return short
    named = {
        _FROM_CLASSIFIER[text] for text in fields.get_all("Classifier") or () if text in _FROM_CLASSIFIER
    }
    return named.pop() if len(named) == 1 else ""
