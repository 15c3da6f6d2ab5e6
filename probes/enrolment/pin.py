"""The pin of an authority: SHA-256 of its certificate's SubjectPublicKeyInfo (RFC 7469, 2.4), with Python alone.

Certificate ::= SEQUENCE { TBSCertificate ::= SEQUENCE {
    [0] version OPTIONAL, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, … } … }
                                                                   (RFC 5280, 4.1; DER: X.690, 8.1)
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from typing import Final

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_BEFORE_KEY: Final = 5
"""serialNumber, signature, issuer, validity, subject."""


def pin_of(pem: str) -> str:
    """The pin of the first certificate in a PEM text.

    Raises:
        ValueError: there is no certificate in it.
    """
    end = "-----END CERTIFICATE-----"
    first = pem[: pem.index(end) + len(end)] if end in pem else pem
    certificate = ssl.PEM_cert_to_DER_cert(first[first.find("-----BEGIN") :])
    return "sha256/" + base64.b64encode(hashlib.sha256(_public_key_info(certificate)).digest()).decode()


def _public_key_info(certificate: bytes) -> bytes:
    try:
        whole, _ = _content(certificate, 0, _SEQUENCE)
        signed, _ = _content(certificate, whole, _SEQUENCE)
        place = signed
        if certificate[place] == _VERSION:
            place = _end(certificate, place)
        for _ in range(_BEFORE_KEY):
            place = _end(certificate, place)
        _content(certificate, place, _SEQUENCE)
        return certificate[place : _end(certificate, place)]
    except IndexError:
        raise ValueError("the certificate is cut off") from None


def _content(data: bytes, place: int, tag: int) -> tuple[int, int]:
    """Where the content of an element begins and ends."""
    if data[place] != tag:
        raise ValueError(f"tag 0x{data[place]:02x} in the certificate where 0x{tag:02x} belongs")
    return _bounds(data, place)


def _end(data: bytes, place: int) -> int:
    return _bounds(data, place)[1]


def _bounds(data: bytes, place: int) -> tuple[int, int]:
    length, start = data[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4:
            raise ValueError("a length in the certificate is no DER")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise IndexError
    return start, start + length
