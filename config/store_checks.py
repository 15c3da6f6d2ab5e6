"""The section [store]: what must go together for a database server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from config.address import is_loopback

if TYPE_CHECKING:
    from config.settings import Store
    from config.wrong import Wrong

_PREFIX: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


def check_store(store: Store, wrong: Wrong) -> None:
    """Raise the first thing that is wrong."""
    if store.kind == "sqlite":
        return
    for key in ("url", "read_url"):
        _check_address(key, getattr(store, key), store, wrong)
    if store.token and store.token_file:
        problem = "store.token and store.token_file are both set"
        raise wrong(("store", "token_file"), problem, "keep one of them, better the file")
    for key in ("organisation", "bucket"):
        if not getattr(store, key).strip():
            raise wrong(("store", key), f"store.{key} is empty", 'write a name, as "tatpar"')
    if not _PREFIX.fullmatch(store.prefix):
        problem = f'store.prefix "{store.prefix}" cannot begin a measurement\'s name'
        raise wrong(("store", "prefix"), problem, 'write lower-case letters, digits and _, as "tatpar"')


def _check_address(key: str, address: str, store: Store, wrong: Wrong) -> None:
    if not address:
        if key == "url":
            problem = f'store.kind is "{store.kind}" but store.url is empty'
            raise wrong(("store", "kind"), problem, 'add the address: url = "https://10.20.0.9:8428"')
        return
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment:
        problem = f'store.{key} "{address}" is no address of a server'
        raise wrong(("store", key), problem, 'write it as "https://10.20.0.9:8428"')
    if parts.username or parts.password:
        problem = f"store.{key} holds a user or password"
        raise wrong(("store", key), problem, "write the address alone; a token goes to store.token_file")
    if parts.scheme == "http" and not store.insecure and not is_loopback(str(parts.hostname)):
        problem = f'store.{key} "{address}" is another machine, and http has no TLS'
        raise wrong(("store", key), problem, "write https://, or store.insecure = true")
