"""Pure numpy: window verdicts, baselines, flags, readiness. Arrays in, frozen records out, no I/O."""
