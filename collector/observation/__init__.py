"""How a collector shows itself: `/metrics`, `/healthz`, `/readyz`."""
