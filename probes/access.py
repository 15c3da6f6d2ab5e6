"""From an office's settings to what a connection needs."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from probes.connection import BrokerAccess

if TYPE_CHECKING:
    from probes.office_settings import OfficeSettings


def broker_access(office: OfficeSettings) -> BrokerAccess:
    """How to reach the office's broker. Reads the certificates, so keep it off the event loop.

    Raises:
        OSError: the certificates cannot be read or used.
    """
    tls = None if office.tls_ca is None else ssl.create_default_context(cafile=office.tls_ca)
    return BrokerAccess(
        host=office.broker_host,
        port=office.broker_port,
        client_id=f"tatpar-{office.site}-{office.probe}",
        user=office.user,
        password=office.password,
        tls=tls,
        connect_s=office.patience.connect_s,
        progress_s=office.patience.progress_s,
    )
