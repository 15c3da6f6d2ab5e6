"""Keeps the broker's door in step with the state database: users, access list, certificate, the hub's own password.

What changes is written and mosquitto told by SIGHUP. It then reads users, lists and certificates again, keeps every
connection whose user is still good, and cuts those whose user is gone (measured with 2.0.11; see decision 091).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from collector.broker.mosquitto import Public, hub_access, password_lines, probe_access, probe_passwords
from collector.enrolment.authority import Authority
from collector.enrolment.keys import KeyRing
from collector.enrolment.private_files import private_folder, write_private
from collector.trouble import Trouble
from telemetry.clock import SystemClock
from telemetry.state.db import StateDb
from telemetry.state.errors import StateError
from telemetry.state.file import STATE_FILE
from telemetry.windows import SECOND_NS

if TYPE_CHECKING:
    from pathlib import Path

    from collector.broker.child import Child
    from config.settings import Broker
    from telemetry.clock import WallClock

log = logging.getLogger(__name__)
LOOK_S: Final = 0.25
LOOK_CLOSELY_EVERY: Final = 20
"""Looks: what time alone changes (a token that runs out, a certificate) is looked at every 5 s."""
FOLDER: Final = "identity"
HUB_OVERLAP_NS: Final = 60 * SECOND_NS
"""So long the hub's user of before is still let in; its connections change over within a second."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker was told last, for the command line and for `doctor`."""

    digest: str
    at_ns: int
    users: int


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in and what each may do, as mosquitto reads it."""

    access: str
    passwords: str
    users: int

    @property
    def digest(self) -> str:
        """Tells one set of rules from another."""
        return hashlib.sha256(f"{self.access}\0{self.passwords}".encode()).hexdigest()


def rules_for(state: StateDb, root: str, now_ns: int) -> Rules:
    """The rules that follow from the state database."""
    valid = state.valid_credentials(now_ns)
    return Rules(probe_access(root, valid), probe_passwords(valid), len(valid))


def applied(data_dir: Path) -> Applied | None:
    """What the broker of this folder was told last; None when it never was."""
    try:
        return msgspec.json.decode((data_dir / FOLDER / "applied.json").read_bytes(), type=Applied)
    except (OSError, msgspec.MsgspecError):
        return None


class Doorkeeper:
    """Owns the files of the listener for offices."""

    def __init__(self, broker: Broker, data_dir: Path, clock: WallClock | None = None) -> None:
        """Open identity and state, and write everything once, so that the broker can start.

        Raises:
            AuthorityError, StateError, ValueError: something of it is damaged.
            OSError: the folder cannot be read or written.
        """
        self._clock = clock or SystemClock()
        self._root = broker.root
        self._names = broker.names
        self._operators = (broker.user, broker.password) if broker.user else None
        self._folder = private_folder(data_dir / FOLDER).absolute()
        self._keys = KeyRing(self._folder)
        self._authority = Authority(self._folder, self._clock.now_ns())
        self.public = Public(
            broker.public_host,
            broker.public_port,
            self._authority.file("broker"),
            self._folder / "acl",
            self._folder / "passwords",
        )
        self._hub_files = (data_dir / "mosquitto").absolute()
        self._told = self._login = self._wanted_login()
        self._logins = {self._login: 0}
        user, password = self._login
        self.settings = replace(broker, user=user, password=password)
        """The broker's settings with the hub's own log-in, which it has in any case."""
        self._state = StateDb(data_dir / STATE_FILE)
        self._revision = -1
        self._digest = ""
        self._users = 0
        self.trouble = Trouble(
            "the broker's users cannot be brought up to date",
            "those it has stay; trying again",
            "broker-users",
        )
        self._change(closely=True)

    def login(self) -> tuple[str, str]:
        """The hub's own user and password that the broker knows now."""
        return self._told

    def _wanted_login(self) -> tuple[str, str]:
        return self._operators or self._keys.hub_login()

    def close(self) -> None:
        """Let go of the state database."""
        self._state.close()

    async def run(self, child: Child) -> None:
        """Keep the door until cancelled."""
        self._note()  # it has started with what was written at first
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            try:
                changed = await asyncio.to_thread(self._change, closely=looks % LOOK_CLOSELY_EVERY == 0)
            except (OSError, StateError) as error:
                self.trouble.failed(error)
                continue
            self.trouble.worked()
            self._told = self._login  # the broker has had the time between two looks to read it
            if changed:
                child.knock_as(*self._login)
                child.reload()
                self._note()
                told = ", ".join(changed)
                log.info(
                    "the broker was told: %s", told, extra={"event": "broker-users.told", "changed": told}
                )

    def _change(self, *, closely: bool) -> list[str]:
        """Write what is no longer right; what was changed, in words."""
        changed = self._renew_login()
        if closely and self._authority.renew("broker", self._names, self._clock.now_ns()):
            changed.append("a new certificate")
        revision = self._state.revision()
        if closely or revision != self._revision:
            rules = rules_for(self._state, self._root, self._clock.now_ns())
            if rules.digest != self._digest:
                write_private(self.public.access, rules.access.encode())
                write_private(self.public.passwords, rules.passwords.encode())
                self._digest, self._users = rules.digest, rules.users
                changed.append(f"{rules.users} users of probes")
            self._revision = revision
        return changed

    def _renew_login(self) -> list[str]:
        """Let a new user of the hub in, and the one before out when its time is over.

        Not one user with another password: mosquitto would cut the collector, and drop what comes until it is back,
        although it keeps the session and acknowledges (measured with 2.0.11).
        """
        now_ns, login = self._clock.monotonic_ns(), self._wanted_login()
        over = [old for old, end_ns in self._logins.items() if end_ns and now_ns >= end_ns]
        if login == self._login and not over:
            return []
        if login != self._login:
            self._logins[self._login] = now_ns + HUB_OVERLAP_NS
            self._logins[login] = 0
        for old in over:
            del self._logins[old]
        access = hub_access(self._root, (user for user, _ in self._logins))
        write_private(self._hub_files / "acl", access.encode())
        write_private(self._hub_files / "passwords", password_lines(self._logins).encode())
        self._login = login
        return ["the hub's new user" if not over else "the hub's old user has gone"]

    def _note(self) -> None:
        told = Applied(digest=self._digest, at_ns=self._clock.now_ns(), users=self._users)
        write_private(self._folder / "applied.json", msgspec.json.encode(told))
