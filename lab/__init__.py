"""Emulated links and a whole emulated fleet, for trying out, for training, for tests with known truth."""
