"""Measure at the office: STAMP sender and reflector, ICMP, interface counters; spool; publish."""
