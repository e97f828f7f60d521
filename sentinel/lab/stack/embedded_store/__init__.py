"""The embedded store: InfluxDB 1.x's write and query, as far as the lab uses them, in a process that needs only pip.

server (routes) → storefile (SQLite) → catalog (databases, types, series); leanhttp has the connections, exchange what
goes over them. linereader, linekey, linefields and influxql are pure.
"""
