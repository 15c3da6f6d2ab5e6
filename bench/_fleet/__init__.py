"""Emulated probes at the MQTT level: who they are, what they send, and what the house does with it."""
