"""redis.asyncio and influxdb-client's async API, as their documentation shows them."""

import asyncio
import json
import logging
import math
import os
import signal
from pathlib import Path

from influxdb_client import Point, WritePrecision
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from redis import ResponseError
from redis.asyncio import Redis

KEY, GROUP, CONSUMER, RUN = (os.environ[f"SENTINEL_{name}"] for name in ("KEY", "GROUP", "CONSUMER", "RUN"))
BATCH_SIZE = int(os.environ["SENTINEL_BATCH_SIZE"])
BUCKET = os.environ["INFLUX_BUCKET"]


def point(payload: bytes) -> Point | None:
    try:
        message = json.loads(payload)
        row = Point("system_stats").tag("run", message.get("run") or RUN)
        for name in ("host", "source"):
            if message.get(name) not in (None, ""):
                row.tag(name, message[name])
        fields = {"cpu": message["cpu_usage"], "mem": message["mem_usage"], **(message.get("fields") or {})}
        for name, value in fields.items():
            if not math.isfinite(value):
                raise ValueError(f"{name}={value}")
            row.field(name, float(value))
        moment = message.get("send_time_unix_nano") or message["timestamp"] * 10**9
        return row.time(int(moment), WritePrecision.NS)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        logging.warning("no message: %r (%s)", payload[:100], error)
        return None


async def write(influx: InfluxDBClientAsync, payloads: list[bytes]) -> None:
    points = [row for payload in payloads if (row := point(payload))]
    if points:
        await influx.write_api().write(BUCKET, record=points, write_precision=WritePrecision.NS)


async def consume_stream(redis: Redis, influx: InfluxDBClientAsync, stopped: asyncio.Event) -> None:
    try:
        await redis.xgroup_create(KEY, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
    Path(os.environ["SENTINEL_READY"]).touch()
    start = "0"  # first what this consumer was given before, and did not acknowledge
    while not stopped.is_set():
        streams = await redis.xreadgroup(GROUP, CONSUMER, {KEY: start}, count=BATCH_SIZE, block=100)
        entries = streams[0][1] if streams else []
        if entries:
            await write(influx, [fields[b"d"] for _, fields in entries])
            await redis.xack(KEY, GROUP, *(number for number, _ in entries))
        elif start == "0":
            start = ">"


async def consume_channel(redis: Redis, influx: InfluxDBClientAsync, stopped: asyncio.Event) -> None:
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(KEY)
        await channel.get_message(timeout=5)
        Path(os.environ["SENTINEL_READY"]).touch()
        while True:
            message = await channel.get_message(timeout=0.1)
            if message is None and stopped.is_set():
                return
            payloads = []
            while message is not None and len(payloads) < BATCH_SIZE:
                payloads.append(message["data"])
                message = await channel.get_message()
            await write(influx, payloads)
            if message is not None:
                await write(influx, [message["data"]])


def serve_old_influxdb(influx: InfluxDBClientAsync) -> None:
    """InfluxDB before 1.8 takes points at /write only."""
    call = influx.api_client.call_api

    def adapted(
        path: str, method: str, path_params: object = None, query: object = None, *rest: object, **more: object
    ):
        if path == "/api/v2/write":
            path, query = "/write", [*(query or []), ("db", BUCKET)]
        return call(path, method, path_params, query, *rest, **more)

    influx.api_client.call_api = adapted


async def main() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    url, token, org = (os.environ[f"INFLUX_{name}"] for name in ("URL", "TOKEN", "ORG"))
    redis = Redis.from_url(os.environ["REDIS_URL"])
    async with redis, InfluxDBClientAsync(url, token or "none", org) as influx:
        if "/api/v2/write" not in os.environ["SENTINEL_WRITE_URL"]:
            serve_old_influxdb(influx)
        consume = consume_stream if os.environ["SENTINEL_TRANSPORT"] == "stream" else consume_channel
        await consume(redis, influx, stopped)


asyncio.run(main())
