"""The front door: the command line, and `tatpar up`, which wires the rooms together."""
