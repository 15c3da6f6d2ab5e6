"""The hub's identity in the hands of `tatpar enroll`, `revoke` and `command`."""
