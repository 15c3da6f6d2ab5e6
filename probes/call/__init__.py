"""The live-call meter: what a call on the office's line gets, seen passively, headers only."""
