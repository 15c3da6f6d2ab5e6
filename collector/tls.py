"""TLS towards a broker that runs elsewhere."""

from __future__ import annotations

import ssl


def client_context(ca: str) -> ssl.SSLContext:
    """Believes servers that the authority in a PEM file vouches for, by name and date; TLS 1.2 at least.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
