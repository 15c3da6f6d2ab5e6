"""The measuring half: sessions sent and heard in a process of their own, and the windows that come of them."""
