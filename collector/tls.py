"""TLS towards a broker that runs elsewhere."""

from __future__ import annotations

import ssl


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of ssl
        """Shake hands, or close.

        Raises:
            OSError: they do not agree.
        """
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def client_context(ca: str) -> ssl.SSLContext:
    """Believes servers that the authority in a PEM file vouches for, by name and date; TLS 1.2 at least.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TidySocket
    return context
