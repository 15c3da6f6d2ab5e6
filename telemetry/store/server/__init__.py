"""The report store on a database server: a durable local journal in front of InfluxDB or VictoriaMetrics."""

from telemetry.store.server.reader import ServerReader
from telemetry.store.server.store import ServerStore

__all__ = ["ServerReader", "ServerStore"]
