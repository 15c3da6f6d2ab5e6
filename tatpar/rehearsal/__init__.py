"""What `tatpar rehearse` shows."""
