"""The section [alerts.delivery], and how channels are reached: with TLS, and no message shows an address that may hold a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from config.address import is_host, is_loopback

if TYPE_CHECKING:
    from config.alert_settings import Alerts, Delivery
    from config.toml_lines import KeyPath
    from config.wrong import Wrong

_MAIL: Final = re.compile(r"[^@\s+]+@[^@\s]+")


def check_delivery(alerts: Alerts, wrong: Wrong) -> None:
    """Raise the first thing that is wrong."""
    delivery = alerts.delivery
    for name, url in alerts.channels.items():
        if url.startswith(("http://", "https://")):
            _check_web(("alerts", "channels", name), url, wrong, insecure=delivery.insecure)
    for key in ("public_url", "alertmanager_url"):
        _check_web(("alerts", "delivery", key), getattr(delivery, key), wrong, insecure=delivery.insecure)
    for key in ("ack_host", "reply_host"):
        host = getattr(delivery, key)
        if host and not is_host(host):
            problem = f'alerts.delivery.{key} "{host}" is neither a name nor an address'
            remedy = 'write an address of this machine, as "127.0.0.1"'
            raise wrong(("alerts", "delivery", key), problem, remedy)
    _check_pairs(delivery, wrong)


def _check_pairs(delivery: Delivery, wrong: Wrong) -> None:
    if delivery.reply_to and not _MAIL.fullmatch(delivery.reply_to):
        problem = f'alerts.delivery.reply_to "{delivery.reply_to}" is no mail address without a +'
        raise wrong(("alerts", "delivery", "reply_to"), problem, 'write it as "ack@hub.example"')
    if delivery.alertmanager_token and delivery.alertmanager_user:
        problem = "alerts.delivery has both alertmanager_token and alertmanager_user"
        raise wrong(("alerts", "delivery", "alertmanager_token"), problem, "keep one of them")
    if delivery.longest_retry_s < delivery.first_retry_s:
        problem = (
            f"longest_retry_s {delivery.longest_retry_s:g} is below first_retry_s {delivery.first_retry_s:g}"
        )
        raise wrong(
            ("alerts", "delivery", "longest_retry_s"), problem, f"write at least {delivery.first_retry_s:g}"
        )


def _check_web(key: KeyPath, address: str, wrong: Wrong, *, insecure: bool) -> None:
    if not address:
        return
    name = ".".join(str(step) for step in key)
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or (key[-1] in ("public_url", "alertmanager_url") and (parts.query or parts.fragment)):
        raise wrong(key, f"{name} is no web address", 'write it as "https://hub.example"')
    if parts.scheme == "http" and not insecure and not is_loopback(str(parts.hostname)):
        problem = f"{name} is another machine, and http has no TLS"
        raise wrong(key, problem, "write https://, or alerts.delivery.insecure = true")
