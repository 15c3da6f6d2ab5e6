"""Emulated lines: relays that do to real packets what a script says, and the log of what they did."""
