"""What signals ask for is done beside the main thread, one after another, and none of it is lost at the end."""

import os
import signal
import threading

from tatpar.service.upon_signal import UponSignal


def test_nothing_asked_for_runs_inside_what_the_signal_interrupts() -> None:
    """The main thread may be in the middle of a write when the signal comes: the answer must not be written there."""
    before = signal.getsignal(signal.SIGUSR1)
    by: list[int] = []
    may_go_on = threading.Event()

    def answer() -> None:
        assert may_go_on.wait(60)  # run by the main thread it would wait for itself
        by.append(threading.get_ident())

    try:
        with UponSignal() as asked:
            asked.do(signal.SIGUSR1, answer)
            for _ in range(5):
                os.kill(os.getpid(), signal.SIGUSR1)
                signal.sigpending()  # a step of the interpreter: the handler has run
            assert not by
            may_go_on.set()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(by) == 5
    assert threading.get_ident() not in by


def test_what_fails_takes_nothing_else_with_it() -> None:
    """The counters cannot be written (nobody reads any more): the keys are read again all the same."""
    before = signal.getsignal(signal.SIGUSR1), signal.getsignal(signal.SIGHUP)
    heard: list[str] = []

    def cannot() -> None:
        raise BrokenPipeError

    try:
        with UponSignal() as asked:
            asked.do(signal.SIGUSR1, cannot)
            asked.do(signal.SIGHUP, lambda: heard.append("keys"))
            os.kill(os.getpid(), signal.SIGUSR1)
            signal.sigpending()
            os.kill(os.getpid(), signal.SIGHUP)
            signal.sigpending()
    finally:
        for number, handler in zip((signal.SIGUSR1, signal.SIGHUP), before, strict=True):
            signal.signal(number, handler)
    assert heard == ["keys"]
