"""ICMP round trips to the gateway and to the ends."""
