"""Coverage-guided fuzzing of the intake, for developers: libFuzzer (atheris) follows the branches of our own code.

    pip install atheris                     # CPython 3.11 on Linux; not among the locked dependencies, not run by `make test`
    python -m tests.fuzz.guided CORPUS -max_total_time=600 -max_len=4096

CORPUS is a folder; it is filled with the golden messages when it is empty. The input is a report's payload on the topic of a linked
site. A finding ends the run and leaves `crash-…` beside it; give that file in place of CORPUS to see it again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["collector", "telemetry", "config"]):
    from collector.accounting import stand_in
    from collector.intake import Bounds, examine
    from collector.message import Message
    from collector.outcome import Accepted, Misdated, Refused
    from collector.redating import Redated, Redater
    from telemetry import codec
    from tests.fuzz.intake import LINKED, RECEIVED_NS, ROOT, SITE, _config, bases
    from tests.fuzz.oracle import rubbish

REGISTRY = _config(Path(tempfile.mkdtemp(prefix="tatpar-guided-"))).current.registry
BOUNDS = Bounds()
REDATER = Redater()


def one(payload: bytes) -> None:
    """One input: examined, redated, and when it would be stored looked at by the oracle."""
    outcome = examine(
        Message(f"{ROOT}/{SITE}/p1/report", payload, RECEIVED_NS, age_ms=5000), ROOT, REGISTRY, BOUNDS
    )
    if isinstance(outcome, Misdated):
        mended = REDATER.redate(outcome)
        outcome = Accepted(mended.report) if isinstance(mended, Redated) else mended
    if isinstance(outcome, Refused):
        assert outcome.detail.strip()
        assert "\n" not in outcome.detail
        report = stand_in(outcome)
    else:
        assert isinstance(outcome, Accepted)
        report = outcome.report
    if report is not None:
        assert rubbish(report, LINKED) == []
        assert codec.decode(codec.encode(report.envelope)) == report.envelope


def main() -> None:
    """Fill an empty corpus, then fuzz."""
    for argument in sys.argv[1:]:
        corpus = Path(argument)
        if corpus.is_dir() and not any(corpus.iterdir()):
            for number, base in enumerate(bases()):
                (corpus / f"golden-{number}").write_bytes(base.payload)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
