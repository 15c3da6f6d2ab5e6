"""HTTP: the page, its files, and the JSON behind it."""
