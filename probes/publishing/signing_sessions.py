"""What an office's test packets carry besides the plan's word: its SSID and key, and the mark of its calls."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from probes.enrolment.credentials import CredentialsError, load_credentials
from probes.transition import Transition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from probes.enrolment.credentials import Credentials
    from probes.measuring.session import Session
    from probes.publishing.office_settings import OfficeSettings

_log = logging.getLogger(__name__)


class SessionMarks:
    """Gives sessions their DSCP and, when the office signs, the newest key that the enrolment handed out."""

    def __init__(self, settings: OfficeSettings) -> None:
        self._file: Path | None = settings.credentials if settings.signed else None
        self._dscp, self._ptp = settings.dscp, settings.ptp
        self._read_ns = 0
        self._ssid, self._key = 0, b""
        self._state = Transition(
            _log, f"{settings.key}: key of the test packets", "readable again", "signing"
        )

    def on(self, sessions: Sequence[Session], planned_dscp: int = 0) -> list[Session]:
        """The sessions as they are to be measured; the office's own mark goes before the plan's."""
        if self._file is not None:
            self._read(self._file)
        dscp = self._dscp or planned_dscp
        return [replace(one, ssid=self._ssid, secret=self._key, dscp=dscp, ptp=self._ptp) for one in sessions]

    def _read(self, file: Path) -> None:
        """Read the file when it has changed; the key of before serves while it cannot be read."""
        try:
            changed_ns = file.stat().st_mtime_ns
            if changed_ns == self._read_ns:
                return
            kept = load_credentials(file)
            self._ssid, self._key = _of(kept)
            self._read_ns = changed_ns
        except (OSError, CredentialsError, ValueError) as error:
            self._state.bad(str(error))
        else:
            self._state.good()


def rehearsal_mark(settings: OfficeSettings) -> tuple[int, bytes]:
    """SSID and key by which a headquarters admits the office's rehearsals; (0, b"") when there is none."""
    if settings.credentials is None:
        return settings.ssid, settings.secret
    try:
        return _of(load_credentials(settings.credentials))
    except (OSError, CredentialsError, ValueError):
        return 0, b""


def _of(kept: Credentials) -> tuple[int, bytes]:
    if not (kept.ssid and kept.reflector_key):
        raise ValueError(
            "the enrolment gave no key for the reflectors; tatpar enroll SITE --rotate at the hub"
        )
    return kept.ssid, bytes.fromhex(kept.reflector_key)
