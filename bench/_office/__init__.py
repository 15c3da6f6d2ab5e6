"""What `bench.office` is made of."""
