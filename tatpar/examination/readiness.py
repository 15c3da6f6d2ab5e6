"""Whether a collector that is at work can do its duty: what its `/readyz` says."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import TYPE_CHECKING, Final

from tatpar.examination.finding import broken, fine, less
from tatpar.examination.phrase import as_it_is, phrase

if TYPE_CHECKING:
    from tatpar.examination.finding import Finding

TIMEOUT_S: Final = 5.0
PATH: Final = "/readyz"


def readiness(role: str, address: str) -> Finding:
    """Ask the collector of a role, which shows itself at `address` (host:port)."""
    subject, where = phrase("readiness", role=role), f"{address}{PATH}"
    try:
        with contextlib.closing(http.client.HTTPConnection(address, timeout=TIMEOUT_S)) as connection:
            connection.request("GET", PATH)
            problems = _problems(connection.getresponse().read())
    except (OSError, ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        return less(subject, phrase("readiness.silent", where=where, why=why), phrase("readiness.do_look"))
    if not problems:
        return fine(subject, phrase("readiness.ready", where=where))
    text = phrase("readiness.not_ready", problems=tuple(as_it_is(each) for each in problems.values()))
    return broken(subject, text, phrase("readiness.do_store" if "store" in problems else "readiness.do_see"))


def _problems(page: bytes) -> dict[str, str]:
    """By check that is not well, what it says and since when; raises what a page of another kind makes it raise."""
    checks = json.loads(page)["checks"]
    return {
        name: f"{name}: {check.get('problem', '?')} ({check.get('since', '?')})"
        for name, check in checks.items()
        if not check["ok"]
    }
