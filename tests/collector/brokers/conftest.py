"""A broker of each kind, and a topic of one's own."""

from __future__ import annotations

import socket
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from collector.broker import BrokerAddress, Kind, mosquitto
from collector.broker.embedded import launch
from collector.broker.ports import free_port
from config.settings import Broker
from tests.collector.brokers.peers import (
    ROOT,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Eventually = Callable[..., Awaitable[None]]


@pytest.fixture(scope="module", params=[Kind.MOSQUITTO, Kind.EMBEDDED], ids=str)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrokerAddress]:
    """One broker of each kind for all tests here, started by the recipe that `bring` uses."""
    folder = tmp_path_factory.mktemp("broker")
    port = free_port("127.0.0.1")
    program = mosquitto.find()
    assert program, "mosquitto is not on this machine: `make test` installs it"
    made = (
        mosquitto.recipe(program, Broker(), port, folder)
        if request.param is Kind.MOSQUITTO
        else launch.recipe(Broker(), port, folder)
    )
    process = subprocess.Popen(made.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(3000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield BrokerAddress("127.0.0.1", port, request.param)
    process.terminate()
    assert process.wait(60) == 0


@pytest.fixture
def topic() -> str:
    """A topic that no other test knows."""
    return f"{ROOT}/{uuid.uuid4().hex}"
