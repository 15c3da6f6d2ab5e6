"""From an office's settings to what a connection needs."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from probes.publishing.connection import BrokerAccess

if TYPE_CHECKING:
    from probes.enrolment.credentials import Login
    from probes.publishing.office_settings import OfficeSettings


def broker_access(office: OfficeSettings, login: Login | None = None) -> BrokerAccess:
    """How to reach the office's broker, as `login` if it is given. Reads the certificates: keep it off the event loop.

    An enrolled probe's client id is its user's name, which the broker knows to be its own.

    Raises:
        OSError: the certificates cannot be read or used.
    """
    tls = None
    if office.tls_ca is not None:
        tls = ssl.create_default_context(cafile=office.tls_ca)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return BrokerAccess(
        host=office.broker_host,
        port=office.broker_port,
        client_id=login.user if login else f"tatpar-{office.site}-{office.probe}",
        user=login.user if login else office.user,
        password=login.password if login else office.password,
        tls=tls,
        connect_s=office.patience.connect_s,
        progress_s=office.patience.progress_s,
    )
