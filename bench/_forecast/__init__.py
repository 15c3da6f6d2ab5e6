"""The forecast on two grounds: real noise (the labelled traces) and known faults (the lab's drawn past)."""
