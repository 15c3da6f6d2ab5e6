"""What the documentation's site adds to its generator: words in Devanagari, a front door, fonts of its own."""
