"""Who may look at the wall and act on it."""
