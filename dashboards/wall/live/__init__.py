"""How the wall stays live: one poller reads, everybody who looks is told what changed."""
