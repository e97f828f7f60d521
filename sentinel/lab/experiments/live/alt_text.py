"""What the live view shows, in words with numbers. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab import formatting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentinel.lab.experiments.live.window import Host, Pipeline


def live(host: Host, pipeline: Pipeline, window: float) -> str:
    """The latest value of every line."""

    def last(values: NDArray[np.float64]) -> str:
        known = [value for value in values.tolist() if math.isfinite(value)]
        return formatting.figure(known[-1]) if known else formatting.NOTHING

    v = {name: last(values) for name, values in host.values.items()}
    p = {key: last(values) for key, values in pipeline.latencies.items()}
    return (
        f"The last {formatting.plain(window)} seconds of this host and of the pipeline, nine panels; latest values: CPU"
        f" {v['cpu']} %, memory {v['mem']} %, load {v['load1']}, disk read {v['disk_read_bytes_per_s']} and write"
        f" {v['disk_write_bytes_per_s']} bytes/s, network sent {v['net_sent_bytes_per_s']} and received"
        f" {v['net_recv_bytes_per_s']} bytes/s; {last(pipeline.sent)} messages sent and {last(pipeline.stored)} stored"
        f" per second, latency in ms internal p50 {p['internal', 0.5]}, p99 {p['internal', 0.99]}, end to end p50"
        f" {p['e2e', 0.5]}, p99 {p['e2e', 0.99]}, stored p50 {p['stored', 0.5]}, p99 {p['stored', 0.99]}; backlog"
        f" {last(pipeline.backlog)}, lost {last(pipeline.troubles['lost'])} messages."
    )
