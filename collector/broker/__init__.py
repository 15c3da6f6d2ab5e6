"""A broker of our own: real mosquitto when it is on the machine, else the embedded one."""

from collector.broker.address import BrokerAddress, Kind
from collector.broker.bring import bring
from collector.broker.child import BrokerError

__all__ = ["BrokerAddress", "BrokerError", "Kind", "bring"]
