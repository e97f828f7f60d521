"""The store: a server that takes line protocol over HTTP. The only home of HTTP, and of influxdb-client.

`servers` knows which one it is, `address` where it is and what lets us in, `client` is a connection to it,
`administration` sets up, empties and counts; `influxdb3` has what is InfluxDB 3's own.
`influxdb_client` wraps the library of that name; only the configurations that measure it import it
(docs/measurements.md: influxdb-client).
"""

from sentinel.store.administration import clear, count, prepare, ready, setup, verify
from sentinel.store.client import StoreClient
from sentinel.store.servers import Server, acknowledgement, durability, identify, write_target

__all__ = [
    "Server",
    "StoreClient",
    "acknowledgement",
    "clear",
    "count",
    "durability",
    "identify",
    "prepare",
    "ready",
    "setup",
    "verify",
    "write_target",
]
