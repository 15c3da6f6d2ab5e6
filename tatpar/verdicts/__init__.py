"""What `tatpar ready` shows: verdicts, what another time promises, the track record."""
