"""Parts of `bench.accuracy`: four tools through one link, each held against the truth of its own packets."""
