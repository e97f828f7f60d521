"""A consumer in plain Python: Redis to line protocol, without anything of the lab's. Yours may be in any language."""

import contextlib
import json
import math
import os
import signal
import urllib.request
from pathlib import Path

import redis

key, group, me, run, size = (os.environ[f"SENTINEL_{n}"] for n in ("KEY", "GROUP", "CONSUMER", "RUN", "BATCH_SIZE"))
escaped = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))


def line(payload):
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):  # no message
        m = json.loads(payload)
        tags = {"host": m.get("host"), "run": m.get("run") or run, "source": m.get("source")}
        fields = {"cpu": m["cpu_usage"], "mem": m["mem_usage"], **(m.get("fields") or {})}
        if all(map(math.isfinite, fields.values())):
            series = "".join(
                f",{name}={str(tags[name]).translate(escaped)}" for name in tags if tags[name] not in (None, "")
            )
            values = ",".join(f"{name.translate(escaped)}={float(value)!r}" for name, value in fields.items())
            return f"system_stats{series} {values} {int(m.get('send_time_unix_nano') or m['timestamp'] * 10**9)}\n"
    return ""


def store(payloads):
    if body := "".join(map(line, payloads)).encode():
        token = {"Authorization": f"Token {os.environ['INFLUX_TOKEN']}"} if os.environ["INFLUX_TOKEN"] else {}
        urllib.request.urlopen(urllib.request.Request(os.environ["SENTINEL_WRITE_URL"], body, token)).close()


bus = redis.Redis.from_url(os.environ["REDIS_URL"])
with contextlib.suppress(redis.ResponseError):  # the group is there already
    bus.xgroup_create(key, group, id="0", mkstream=True)
Path(os.environ["SENTINEL_READY"]).touch()
start = "0"  # first what this consumer was given before, and did not acknowledge
while not stopped:
    read = bus.xreadgroup(group, me, {key: start}, count=int(size), block=100)
    if read and (entries := read[0][1]):
        store(fields[b"d"] for _, fields in entries)
        bus.xack(key, group, *(number for number, _ in entries))
    else:
        start = ">"
