"""Mutated messages through the collector's own way in, into a real SQLite store; one process of the million.

`python -m tests.fuzz.intake SEED COUNT FOLDER` prints what became of them as JSON; any rubbish or crash ends it with 1.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collector.commits import Memory, Rules, commit
from collector.crowding import Crowding
from collector.intake import Bounds
from collector.outcome import RefusalCode
from collector.quarantine import newest, rows
from config.live import LiveConfig
from telemetry import codec
from telemetry.messages import Opaque
from telemetry.store.protocol import Fate, Selection
from telemetry.store.sqlite import SqliteStore
from telemetry.windows import DAY_NS, WINDOW_NS, window_start
from tests.fuzz.mutator import Base, Mutator
from tests.fuzz.oracle import TOPIC, rubbish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.batch import Batch
    from collector.message import Message
    from telemetry.store.protocol import Received

BATCH: Final = 2000
READ_BACK_AFTER: Final = 10 * BATCH
GOLDEN: Final = Path(__file__).parents[1] / "telemetry" / "golden"
ROOT: Final = "tatpar/1"
SITES: Final = """id,name_en,name_hi,region,lat,lon,status
lakhimpur-kheri,Kheri,खीरी,awadh,27.95,80.78,linked
agra,Agra,आगरा,braj,27.18,78.02,linked
unnao,Unnao,उन्नाव,awadh,26.55,80.49,planned
"""
SITE: Final = "lakhimpur-kheri"
T0: Final = 1_795_406_400_000_000_000
"""The golden reports' own time; the hub's clock stands half a minute later."""
RECEIVED_NS: Final = T0 + 30_000_000_000
LINKED: Final = {"lakhimpur-kheri", "agra"}


def topics() -> list[str]:
    """Topics of all sorts, most of them wrong."""
    good = [f"{ROOT}/{SITE}/p1/{leaf}" for leaf in ("report", "backlog", "presence", "answer")]
    ours = [f"{ROOT}/{SITE}/p1/{leaf}" for leaf in ("stored", "plan", "command", "enrol", "", "report/x")]
    names = (
        "",
        "+",
        "#",
        "..",
        "agra",
        "unnao",
        "nowhere",
        "AGRA",
        "a" * 64,
        "a b",
        "\u0939",
        "agra\n",
        "-",
        "\x00",
    )
    return [*good, *ours, "", "/", ROOT, f"{ROOT}/", "$SYS/x", *(f"{ROOT}/{n}/p1/report" for n in names), *(f"{ROOT}/{SITE}/{n}/report" for n in names)]  # fmt: skip


def bases() -> list[Base]:
    """Every golden message of the broker on its topic; reports also as backlog, and one of a clock that never was set."""
    made: list[Base] = []
    for file in sorted(GOLDEN.glob("*.json")):
        payload = file.read_bytes().strip()
        if file.stem.startswith("control_"):
            kind = file.stem.split("_")[1]
            leaf = kind if kind in {"presence", "answer"} else "plan"
            made.append(Base.of(f"{ROOT}/{SITE}/p1/{leaf}", payload))
            continue
        report = json.loads(payload)
        if "seq" not in report:
            continue  # what the enrolment desk says never comes this way
        payload = payload.replace(b'"seq":%d' % report["seq"], b'"seq":4711', 1)
        payload = payload.replace(report["site"].encode(), SITE.encode(), 1)
        payload = payload.replace(report["probe"].encode(), b"p1", 1)
        made += [Base.of(f"{ROOT}/{SITE}/p1/{leaf}", payload) for leaf in ("report", "report", "backlog")]
        old = payload.replace(b'"start_ns":%d' % report["start_ns"], b'"start_ns":1234567890123')
        made.append(Base.of(f"{ROOT}/{SITE}/p1/report", old))
    return made


class WatchedStore(SqliteStore):
    """Looks at everything that is to be stored, before it is, with other eyes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.stored = 0
        self.seen = 0
        self.rubbish: list[str] = []

    def prepare(self, report: Received) -> Received:
        """Here a report goes from the intake to the store, whole."""
        self._look(report)
        return super().prepare(report)

    def append(self, reports: Sequence[Received]) -> list[Fate]:
        fates = super().append(reports)
        self.stored += fates.count(Fate.STORED)
        return fates

    def _look(self, report: Received) -> None:
        self.seen += 1
        opaque = any(isinstance(item, Opaque) for item in report.envelope.items)
        again = codec.decode(report.payload or codec.encode(report.envelope)) if opaque else report.envelope
        if again != report.envelope:  # what is kept without being understood must be readable for ever
            self.rubbish.append(f"comes back as {again!r}"[:2000])
        for text in rubbish(report, LINKED):
            self.rubbish.append(f"{text} in {report.envelope!r}"[:2000])


def check_refusals(batch: Batch, refused: Counter[str]) -> list[str]:
    """Each refusal has a reason that is counted, in one line."""
    wrong: list[str] = []
    for one in batch.refused:
        if not isinstance(one.code, RefusalCode) or not one.detail.strip() or "\n" in one.detail:
            wrong.append(f"a refusal without a reason in one line: {one.code} {one.detail!r}")
        if len(one.detail) > 600:
            wrong.append(f"a refusal of {len(one.detail)} characters")
    counted = batch.refused_by_code
    if counted.total() != len(batch.refused):
        wrong.append("refusals that are not counted")
    refused.update({code.value: number for code, number in counted.items()})
    rows(newest(batch.refused, 10, 100_000))
    return wrong


def run(seed: int, count: int, folder: Path) -> dict[str, Any]:
    """Draw, commit in batches, look; what became of all."""
    config = _config(folder)
    rules = Rules(ROOT, config.current.registry, Bounds(behind_ns=90 * DAY_NS))
    mutator = Mutator(seed, bases(), RECEIVED_NS, topics())
    memory = Memory(
        crowding=Crowding(10**9, 10**12)
    )  # a million of one hour: fuzzing is about what is in them
    refused, wrong = Counter[str](), list[str]()
    figures: Counter[str] = Counter()
    began = time.monotonic()
    with contextlib.closing(WatchedStore(folder / "reports.db")) as store:
        for done in range(0, count, BATCH):
            messages = [mutator.draw() for _ in range(min(BATCH, count - done))]
            batch = commit(messages, rules, memory, store)
            wrong += check_refusals(batch, refused)
            figures.update(
                messages=batch.messages, duplicates=batch.duplicates, redated=batch.redated, said=len(batch.said),
                answered=len(batch.answers), opaque=batch.opaque_items,
            )  # fmt: skip
            _account(messages, batch, wrong)
            if done == READ_BACK_AFTER:
                wrong += _read_back(store)
        wrong += store.rubbish
        if store.seen < store.stored:
            wrong.append(f"{store.stored} reports are stored, {store.seen} were looked at")
        figures["stored"] = store.stored
    return {
        "seed": seed, "seconds": round(time.monotonic() - began, 2), **figures,
        "refused": dict(refused), "wrong": wrong[:20],
    }  # fmt: skip


def _account(messages: list[Message], batch: Batch, wrong: list[str]) -> None:
    """Whatever came became something: stored, a duplicate, said, answered, or refused with its number accounted for."""
    stand_ins = sum(
        one.envelope is not None and one.code is not RefusalCode.NUMBER_TWICE for one in batch.refused
    )
    became = batch.stored + batch.duplicates + len(batch.said) + len(batch.answers) + len(batch.refused)
    if became != len(messages) + stand_ins:
        wrong.append(f"{len(messages)} messages became {became - stand_ins} outcomes")
    wrong += [
        f"a report under the name {site}/{probe}"
        for site, probe in batch.newest
        if not TOPIC.fullmatch(f"{ROOT}/{site}/{probe}/report")
    ]


def _read_back(store: WatchedStore) -> list[str]:
    """The store can be read, folded, and read again, and gives as many windows as before."""
    everything = Selection(0, 2**62)
    before = len(store.streams(everything, histograms=False))
    store.latest()
    store.gaps(Selection(window_start(T0) - DAY_NS, window_start(T0) + DAY_NS))
    for kind in ("ping", "reach", "link", "call", "rehearsal"):
        store.items(kind, Selection(T0 - DAY_NS, T0 + DAY_NS))
    accounted = store.received(SITE, "p1")
    if not before or not accounted:
        return ["nothing was stored: the fuzzer does not reach the store"]
    return [] if before == len(store.streams(everything, histograms=True)) else ["reads do not agree"]


def _config(folder: Path) -> LiveConfig:
    (folder / "meetings").mkdir(parents=True, exist_ok=True)
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "tatpar.toml").write_text("", encoding="utf-8")
    return LiveConfig(folder / "tatpar.toml")


def main() -> int:
    """Status 1 when anything was wrong."""
    gc.set_threshold(200_000)
    seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    figures = run(seed, count, folder)
    sys.stdout.write(json.dumps(figures))
    return int(bool(figures["wrong"]))


if __name__ == "__main__":
    assert WINDOW_NS == 15_000_000_000
    sys.exit(main())
