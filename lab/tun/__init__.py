"""A link that carries all IP, between two network namespaces."""
