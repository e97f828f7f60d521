"""The load generator: many sources played against the bus, by a schedule fixed beforehand."""
