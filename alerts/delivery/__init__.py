"""A message that was decided arrives, once: the outbox, the ways out of it, and what comes back."""
