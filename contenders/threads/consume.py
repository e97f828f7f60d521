"""What many write: one thread reads, a queue, and threads that write over a pool of connections."""

import json
import logging
import math
import os
import queue
import signal
import threading
from pathlib import Path

import redis
import urllib3

KEY, GROUP, CONSUMER, RUN = (os.environ[f"SENTINEL_{name}"] for name in ("KEY", "GROUP", "CONSUMER", "RUN"))
BATCH_SIZE = int(os.environ["SENTINEL_BATCH_SIZE"])
WRITERS = 2
TRIES = urllib3.Retry(5, backoff_factor=0.1, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None)
ESCAPED = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})

stopped = threading.Event()
batches: queue.Queue = queue.Queue(maxsize=8)
"""(ids on the stream, payloads); None ends a writer."""


def line(payload: bytes) -> str:
    try:
        message = json.loads(payload)
        tags = {"host": message.get("host"), "run": message.get("run") or RUN, "source": message.get("source")}
        fields = {"cpu": message["cpu_usage"], "mem": message["mem_usage"], **(message.get("fields") or {})}
        if not all(map(math.isfinite, fields.values())):
            raise ValueError("a number that is not finite")
        series = "".join(
            f",{name}={str(tag).translate(ESCAPED)}" for name, tag in tags.items() if tag not in (None, "")
        )
        numbers = ",".join(f"{name.translate(ESCAPED)}={float(value)!r}" for name, value in fields.items())
        moment = int(message.get("send_time_unix_nano") or message["timestamp"] * 10**9)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        logging.warning("no message: %r (%s)", payload[:100], error)
        return ""
    return f"system_stats{series} {numbers} {moment}\n"


def read_stream(client: redis.Redis) -> None:
    try:
        client.xgroup_create(KEY, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
    Path(os.environ["SENTINEL_READY"]).touch()
    start = "0"  # first what this consumer was given before, and did not acknowledge
    while not stopped.is_set():
        streams = client.xreadgroup(GROUP, CONSUMER, {KEY: start}, count=BATCH_SIZE, block=100)
        entries = streams[0][1] if streams else []
        if entries:
            batches.put(([number for number, _ in entries], [fields[b"d"] for _, fields in entries]))
        if start != ">":
            start = entries[-1][0] if entries else ">"


def read_channel(client: redis.Redis) -> None:
    channel = client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe(KEY)
    channel.get_message(timeout=5)
    Path(os.environ["SENTINEL_READY"]).touch()
    while True:
        message = channel.get_message(timeout=0.1)
        if message is None and stopped.is_set():
            return
        payloads = []
        while message is not None:
            payloads.append(message["data"])
            message = channel.get_message() if len(payloads) < BATCH_SIZE else None
        if payloads:
            batches.put(([], payloads))


def write(client: redis.Redis, pool: urllib3.PoolManager) -> None:
    token = os.environ["INFLUX_TOKEN"]
    headers = {"Authorization": f"Token {token}"} if token else {}
    while (batch := batches.get()) is not None:
        numbers, payloads = batch
        body = "".join(map(line, payloads)).encode()
        if body:
            answer = pool.request("POST", os.environ["SENTINEL_WRITE_URL"], body=body, headers=headers, retries=TRIES)
            if answer.status != 204:
                logging.error("the store answered %d: %s", answer.status, answer.data[:200])
                os._exit(1)  # not acknowledged: the stream keeps it
        if numbers:
            client.xack(KEY, GROUP, *numbers)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    client, pool = redis.Redis.from_url(os.environ["REDIS_URL"]), urllib3.PoolManager(maxsize=WRITERS)
    writers = [threading.Thread(target=write, args=(client, pool)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    (read_stream if os.environ["SENTINEL_TRANSPORT"] == "stream" else read_channel)(client)
    for _ in writers:
        batches.put(None)
    for writer in writers:
        writer.join()


main()
