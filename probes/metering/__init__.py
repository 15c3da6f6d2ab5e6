"""The meter: from the exchanges of one session and window to its figures."""
