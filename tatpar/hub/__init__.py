"""The hub's rooms as tasks: all in one process (`tatpar up`), or some of them in processes of their own."""
