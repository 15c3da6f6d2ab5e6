"""Whether a collector that is at work can do its duty: what its `/readyz` says."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tatpar.examination.finding import broken, fine, less
from tatpar.examination.phrase import as_it_is, phrase

if TYPE_CHECKING:
    from tatpar.examination.finding import Finding

TIMEOUT_S: Final = 5.0
PATH: Final = "/readyz"
STORE: Final = "store"
JUST_NOW_S: Final = 10.0
"""What is not well for no longer may be a collector that has just been started, and still connects: no fault yet."""


def readiness(role: str, address: str) -> Finding:
    """Ask the collector of a role, which shows itself at `address` (host:port)."""
    subject, where = phrase("readiness", role=role), f"{address}{PATH}"
    try:
        with contextlib.closing(http.client.HTTPConnection(address, timeout=TIMEOUT_S)) as connection:
            connection.request("GET", PATH)
            checks = json.loads(connection.getresponse().read())["checks"]
            problems = _problems(checks)
            is_new = all(_is_new(name, check) for name, check in checks.items() if not check["ok"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        return less(subject, phrase("readiness.silent", where=where, why=why), phrase("readiness.do_look"))
    if not problems:
        return fine(subject, phrase("readiness.ready", where=where))
    text = phrase("readiness.not_ready", problems=tuple(as_it_is(each) for each in problems.values()))
    if is_new:
        return less(subject, text, phrase("readiness.do_wait"))
    return broken(subject, text, phrase("readiness.do_store" if STORE in problems else "readiness.do_see"))


def _problems(checks: dict[str, Any]) -> dict[str, str]:
    """By check that is not well, what it says and since when; raises what a page of another kind makes it raise."""
    return {
        name: f"{name}: {check.get('problem', '?')} ({check.get('since', '?')})"
        for name, check in checks.items()
        if not check["ok"]
    }


def _is_new(name: str, check: dict[str, Any]) -> bool:
    """Whether what is not well has begun just now; what does not say since when is old, and a store has been waited for already."""
    if name == STORE:
        return False
    try:
        began_s = datetime.fromisoformat(check["since"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return False
    return abs(time.time() - began_s) <= JUST_NOW_S
