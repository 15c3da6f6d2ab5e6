"""The hub's own certificate authority: one long-lived key, and short-lived certificates for the hub's own listeners.

ECDSA on P-256 throughout. Certificates begin in 2020, so that a probe whose clock is behind still gets in: what bounds
them is their end.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.enrolment.private_files import create_private, private_folder, write_private
from telemetry.windows import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AUTHORITY_DAYS: Final = 20 * 365
SERVER_DAYS: Final = 30
RENEW_DAYS: Final = 10
"""A server's certificate with less than this left is replaced."""
BEGIN: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class AuthorityError(RuntimeError):
    """The authority's files cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Certified:
    """The server's certificate as it is on disk."""

    names: frozenset[str]
    until_ns: int
    fingerprint: str


class Authority:
    """The authority in a folder; made at the first need."""

    def __init__(self, folder: Path, now_ns: int) -> None:
        """Take key and certificate from the folder, or make both.

        Raises:
            AuthorityError: what is there is damaged.
            OSError: the folder cannot be read or written.
        """
        self._folder = private_folder(folder)
        file = folder / "authority.pem"
        pem = file.read_bytes() if file.exists() else create_private(file, _new_authority(now_ns))
        try:
            self._key = _private_key(pem)
            self.certificate = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise AuthorityError(f"{file}: no key and certificate in it; restore it from a backup") from error

    @property
    def certificate_pem(self) -> str:
        """What probes are handed as the hub's authority."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def pin(self) -> str:
        """`sha256/` and the SHA-256 of the certificate's SubjectPublicKeyInfo in base64 (RFC 7469, 2.4)."""
        return pin_of(self.certificate)

    @property
    def until_ns(self) -> int:
        """When the authority itself runs out."""
        return _ns(self.certificate.not_valid_after_utc)

    def file(self, which: str) -> Path:
        """Key, certificate and authority of a listener in one file, so that it never finds two that do not fit."""
        return self._folder / f"{which}.pem"

    def served(self, which: str) -> Certified | None:
        """The certificate of a listener (`broker`, `desk`); None when there is none of ours."""
        try:
            found = x509.load_pem_x509_certificate(self.file(which).read_bytes())
            found.verify_directly_issued_by(self.certificate)
        except Exception:  # noqa: BLE001 - missing, damaged or another authority's: a new one is made
            return None
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = [
            *names.get_values_for_type(x509.DNSName),
            *map(str, names.get_values_for_type(x509.IPAddress)),
        ]
        return Certified(
            frozenset(listed), _ns(found.not_valid_after_utc), found.fingerprint(hashes.SHA256()).hex()
        )

    def renew(self, which: str, names: Sequence[str], now_ns: int) -> bool:
        """See that a listener's certificate holds for these names and for a while; True when it was replaced.

        Raises:
            OSError: it cannot be written.
        """
        found = self.served(which)
        left_ns = 0 if found is None else found.until_ns - now_ns
        if found is not None and found.names == frozenset(names) and left_ns > RENEW_DAYS * DAY_NS:
            return False
        write_private(self.file(which), self.issue(names, now_ns))
        return True

    def issue(self, names: Sequence[str], now_ns: int, days: float = SERVER_DAYS) -> bytes:
        """A new key with its certificate and the authority's, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        public = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        certificate = (
            _builder(subject, self.certificate.subject, key.public_key(), now_ns, days)
            .add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signing=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(public), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return (
            _key_pem(key)
            + certificate.public_bytes(serialization.Encoding.PEM)
            + self.certificate_pem.encode()
        )


def pin_of(certificate: x509.Certificate) -> str:
    """The pin of a certificate."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "sha256/" + base64.b64encode(hashlib.sha256(spki).digest()).decode()


def _new_authority(now_ns: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tatpar hub authority")])
    certificate = (
        _builder(name, name, key.public_key(), now_ns, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signing=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now_ns: int, days: float
) -> x509.CertificateBuilder:
    now = dt.datetime.fromtimestamp(now_ns // 10**9, tz=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signing,
        crl_sign=signing,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic-curve key")  # noqa: TRY004 - like every other damage of the file
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _ns(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 10**9
