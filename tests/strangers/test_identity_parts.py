"""The parts that identity is made of, each by itself."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from collector.broker.mosquitto import probe_access
from collector.enrolment.authority import RENEW_DAYS, SERVER_DAYS, Authority, AuthorityError, pin_of
from collector.enrolment.issuing import KEY_OVERLAP_NS, current, issue, reflector_keys, revoke, token_hash
from collector.enrolment.keys import KeyRing
from collector.enrolment.limiter import Limiter
from collector.enrolment.roll import Roll
from probes.enrolment import pin
from telemetry.state.credentials import Standing
from telemetry.state.db import StateDb
from telemetry.windows import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = time.time_ns()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "identity", NOW)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDb]:
    made = StateDb(tmp_path / "state.db")
    yield made
    made.close()


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "identity")


def test_openssl_accepts_our_certificates(authority: Authority, tmp_path: Path, program) -> None:
    """Strictly (RFC 5280), for a server, by name and by address; and not for another name."""
    file, ca = tmp_path / "s.pem", tmp_path / "ca.pem"
    file.write_bytes(authority.issue(["hub.example", "10.0.0.5", "fd00::5"], NOW))
    ca.write_text(authority.certificate_pem, encoding="utf-8")
    base = [program("openssl"), "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(ca)]
    for extra in (["-verify_hostname", "hub.example"], ["-verify_ip", "10.0.0.5"], ["-verify_ip", "fd00::5"]):
        subprocess.run([*base, *extra, str(file)], check=True, capture_output=True)
    wrong = subprocess.run(
        [*base, "-verify_hostname", "x.example", str(file)], check=False, capture_output=True
    )
    assert wrong.returncode != 0


@pytest.mark.parametrize("kind", ["ours", "rsa", "ed25519"])
def test_office_and_hub_agree_on_the_pin(kind: str, authority: Authority, tmp_path: Path, program) -> None:
    """The probe's few lines of DER and the hub's library see the same key, whatever kind it is of."""
    pem = authority.certificate_pem
    if kind != "ours":
        key = {"rsa": "rsa:2048", "ed25519": "ed25519"}[kind]
        made = [program("openssl"), "req", "-x509", "-nodes", "-newkey", key, "-subj", "/CN=" + "x" * 60]
        keyout = ["-keyout", str(tmp_path / "k.pem")]
        pem = subprocess.run([*made, *keyout], check=True, capture_output=True, text=True).stdout
    expected = pin_of(x509.load_pem_x509_certificate(pem.encode()))
    assert pin.pin_of(pem) == expected
    assert pin.pin_of(pem + authority.certificate_pem) == expected


def test_a_certificate_that_is_none_has_no_pin(authority: Authority) -> None:
    """Cut off anywhere, or of other octets: a ValueError, never another."""
    import ssl

    der = ssl.PEM_cert_to_DER_cert(authority.certificate_pem)
    for length in range(0, len(der), 7):
        with pytest.raises(ValueError, match="certificate"):
            pin._public_key_info(der[:length])
    for text in ("", "hello", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ValueError):  # noqa: PT011 - binascii's own among them
            pin.pin_of(text)


def test_certificates_are_renewed_in_time_and_not_before(authority: Authority) -> None:
    """Fresh: left alone. Ten days before its end, with other names, damaged, or another authority's: replaced."""
    assert authority.renew("broker", ["a.example"], NOW)
    assert not authority.renew("broker", ["a.example"], NOW + (SERVER_DAYS - RENEW_DAYS - 1) * DAY_NS)
    assert authority.renew("broker", ["a.example", "10.0.0.5"], NOW)
    assert authority.renew("broker", ["a.example", "10.0.0.5"], NOW + (SERVER_DAYS - RENEW_DAYS + 1) * DAY_NS)
    authority.file("broker").write_bytes(b"damaged")
    assert authority.renew("broker", ["a.example"], NOW)
    other = Authority(authority._folder / "other", NOW)
    authority.file("broker").write_bytes(other.issue(["a.example"], NOW))
    assert authority.renew("broker", ["a.example"], NOW)
    assert authority.served("desk") is None


def test_a_probe_whose_clock_is_behind_still_gets_in(authority: Authority) -> None:
    """Certificates begin in 2020: only a clock from before then, or past their end, keeps an office out."""
    issued = x509.load_pem_x509_certificate(authority.issue(["a.example"], NOW))
    assert issued.not_valid_before_utc.year == 2020
    assert issued.not_valid_after_utc.timestamp() == pytest.approx(NOW / 1e9 + SERVER_DAYS * 86_400, abs=2)


def test_a_damaged_identity_is_said_and_never_replaced(tmp_path: Path) -> None:
    """A new authority or key would lock every office out: the operator decides."""
    folder = tmp_path / "identity"
    Authority(folder, NOW)
    KeyRing(folder)
    (folder / "authority.pem").write_bytes(b"x")
    (folder / "master.key").write_bytes(b"x")
    with pytest.raises(AuthorityError, match="no key and certificate in it; restore it from a backup"):
        Authority(folder, NOW)
    with pytest.raises(ValueError, match="1 bytes are no master key; restore it from a backup"):
        KeyRing(folder)


def test_a_generation_ends_only_when_the_next_is_in_use(state: StateDb, keys: KeyRing) -> None:
    """Issued: both may come in. Confirmed: the older ends. Revoked: none, and no number is ever used twice."""

    def valid() -> list[int]:
        return [one.generation for one in state.valid_credentials(NOW)]

    def take(generation: int) -> None:
        with state._change() as change:
            change.execute("UPDATE credential SET taken_ns = 1 WHERE generation = ?", (generation,))

    one = issue(state, keys, "agra", "p1", now_ns=NOW, valid_ns=SECOND_NS).credential
    assert not state.confirm_credential("agra", "p1", 1, NOW)
    take(1)
    issue(state, keys, "agra", "p1", now_ns=NOW, valid_ns=SECOND_NS)
    issue(state, keys, "agra", "p1", now_ns=NOW, valid_ns=SECOND_NS)
    assert valid() == [1, 3]  # 2 was never taken and is replaced
    assert current(state, "agra", "p1", NOW) == state.credentials()[0]
    assert [c.generation for c in state.valid_credentials(NOW + SECOND_NS)] == [1]  # 3 has lapsed
    take(3)
    assert state.confirm_credential("agra", "p1", 3, NOW)
    assert valid() == [3]
    assert revoke(state, "agra", "p1", NOW) == [("agra", "p1")]
    assert (valid(), current(state, "agra", "p1", NOW)) == ([], None)
    four = issue(state, keys, "agra", "p1", now_ns=NOW, valid_ns=SECOND_NS).credential
    assert (one.generation, four.generation, four.user) == (1, 4, "agra.p1.4")
    assert state.standings(NOW) == {("agra", "p1"): Standing.INVITED}


def test_the_roll_says_who_may_not() -> None:
    """Where enrolment is required strangers may not; where it is not they may; who is revoked may nowhere."""
    known = {
        ("agra", "p1"): Standing.ENROLLED,
        ("agra", "p2"): Standing.REVOKED,
        ("agra", "p3"): Standing.LAPSED,
    }
    probes = [("agra", "p1"), ("agra", "p2"), ("agra", "p3"), ("agra", "p4")]
    assert [Roll(True, known).objection(*one) for one in probes] == [
        None,
        Standing.REVOKED,
        Standing.LAPSED,
        Standing.LAPSED,
    ]
    assert [Roll(False, known).objection(*one) for one in probes] == [None, Standing.REVOKED, None, None]


def test_the_access_list_names_exactly_what_is_a_probes_own(state: StateDb, keys: KeyRing) -> None:
    """Four topics to write, three to read, no pattern and no wildcard."""
    issue(state, keys, "agra", "p1", now_ns=NOW, valid_ns=SECOND_NS)
    lines = probe_access("tatpar/1", state.valid_credentials(NOW)).splitlines()[1:]
    assert lines == [
        "user agra.p1.1",
        *(f"topic write tatpar/1/agra/p1/{leaf}" for leaf in ("report", "backlog", "presence", "answer")),
        *(f"topic read tatpar/1/agra/p1/{leaf}" for leaf in ("stored", "plan", "command")),
    ]


def test_failures_are_slowed_down_by_address_in_bounded_memory() -> None:
    """Three at once, then one a second; another address is not touched; the oldest address is forgotten first."""
    limiter = Limiter(attempts=3, per_second=1, most=2)
    for _ in range(3):
        assert limiter.may_try("a", 0.0)
        limiter.failed("a", 0.0)
    assert not limiter.may_try("a", 0.9)
    assert limiter.may_try("a", 1.0)
    assert limiter.may_try("b", 0.0)
    for address in ("b", "c"):
        limiter.failed(address, 0.0)
    assert limiter.may_try("a", 0.0)


def test_a_reflector_knows_the_key_of_before_for_a_while(state: StateDb, keys: KeyRing) -> None:
    """After a rotation both keys, ten minutes later the new one alone; of a revoked office none at all."""
    for generation in (1, 2):
        issued = issue(state, keys, "agra", "p1", now_ns=NOW, valid_ns=SECOND_NS)
        state.redeem_token(token_hash(issued.token), b"nonce", NOW, generation)
        assert state.confirm_credential("agra", "p1", generation, NOW)

    def known(at_ns: int) -> list[str]:
        return [line.partition("generation ")[2] for line in reflector_keys(state, keys, at_ns)]

    assert known(NOW) == ["2", "1"]
    assert known(NOW + KEY_OVERLAP_NS) == ["2"]
    revoke(state, "agra", None, NOW)
    assert known(NOW) == []
