"""An office has only the base install; the settings must be readable there."""

from __future__ import annotations

import subprocess
import sys

HUB_ONLY = (
    "icalendar",
    "recurring_ical_events",
    "dateutil",
    "scipy",
    "babel",
    "starlette",
    "zstandard",
    "jinja2",
)
PROGRAM = f"""
import sys
for name in {HUB_ONLY!r}:
    sys.modules[name] = None
from config.settings_file import SettingsFile
from config.profiles_file import DEFAULT_PROFILES, read_profiles
from config.sites_file import read_sites
print(SettingsFile().settings.wall.port)
"""


def test_settings_need_only_the_base_install() -> None:
    """Settings, sites and profiles are read without the libraries of the hub."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "8420"), done.stderr


def test_ids_are_those_of_the_wire() -> None:
    """What may be an id in the operator's files is what may be a level of a topic."""
    from config.names import ID_PATTERN
    from telemetry.messages import Name

    (meta,) = Name.__metadata__  # type: ignore[attr-defined]
    assert meta.pattern == rf"^{ID_PATTERN}\Z"
