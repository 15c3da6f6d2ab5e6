"""What `bench.icmp` is made of."""
