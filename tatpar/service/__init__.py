"""How one of our processes speaks to whoever started it: logs, readiness, signals."""
