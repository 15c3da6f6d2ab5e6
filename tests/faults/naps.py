"""A program that rests for less time than it takes to ask for it."""

import time

for _ in range(100):
    time.sleep(1e-9)
print("rested")  # noqa: T201 - to the test
