"""Bad messages: each is kept with its reason and counted, and the good ones beside it are stored."""

from __future__ import annotations

import json
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.choices import DECODERS
from support.servers import Answer, Asked, Lane, ScriptedStore, consume, consuming, finish, first

from sentinel import store
from sentinel.bus import DeadLetters
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.consumer.writing.delivery import ROW, RefusalLog, Refused
from sentinel.model.plausible import TimeBounds
from sentinel.model.sample import columns

if TYPE_CHECKING:
    from sentinel.lab.stack import Stack
    from sentinel.model.ledger import ConsumerReport

NOW = time.time_ns()
SECONDS = NOW // 10**9


def good(number: int, **more: object) -> bytes:
    """A sound message with a time of its own."""
    record = {"timestamp": SECONDS, "cpu_usage": 1.5, "mem_usage": 2.5, "send_time_unix_nano": NOW + number}
    return json.dumps(record | {"source": 1, "seq": number} | more).encode()


def changed(**changes: object) -> bytes:
    """A message with something wrong."""
    return json.dumps(json.loads(good(0)) | changes).encode()


def without(name: str) -> bytes:
    """A message that lacks a key."""
    return json.dumps({key: value for key, value in json.loads(good(0)).items() if key != name}).encode()


class Bad(NamedTuple):
    """A payload, and how it is refused."""

    payload: bytes
    reason: str
    detail: str
    """Part of it: the value, or what was expected."""


HUGE = b'{"timestamp":1,"cpu_usage":1,"mem_usage":1,"host":"%b"}' % (b"x" * 10_000_000)
BAD = {
    "no JSON": Bad(b"hello, this is no JSON but longer than forty bytes", "json", "hello, this is"),
    "empty": Bad(b"", "json", "0 bytes"),
    "cut JSON": Bad(good(0)[:-10], "json", "expected a JSON object"),
    "not UTF-8": Bad(b'{"timestamp":1,"cpu_usage":1,"mem_usage":1,"host":"\xff\xfe"}', "json", "\\xff"),
    "deep": Bad(b'{"fields":' + b"[" * 100_000, "", "[[[["),
    "an array": Bad(b"[" + good(0) + b"]", "type", "array"),
    "text for a number": Bad(changed(cpu_usage="12.5"), "type", "cpu_usage"),
    "null for a number": Bad(changed(mem_usage=None), "type", "mem_usage"),
    "negative time": Bad(changed(timestamp=-1), "type", "timestamp"),
    "time too large": Bad(changed(send_time_unix_nano=2**63 - 1), "type", "send_time_unix_nano"),
    "no timestamp": Bad(without("timestamp"), "type", "timestamp"),
    "no cpu_usage": Bad(without("cpu_usage"), "type", "cpu_usage"),
    "NaN": Bad(changed(cpu_usage=float("nan")), "json", "NaN"),
    "infinity": Bad(changed(mem_usage=float("-inf")), "json", "Infinity"),
    "number too large": Bad(good(0).replace(b"1.5", b"1e999"), "", "cpu_usage"),
    "field not finite": Bad(good(0, fields={"load": 1.0}).replace(b"1.0", b"NaN"), "json", "expected a JSON object"),
    "field of our name": Bad(good(0, fields={"cpu": 1.0}), "value", "'cpu'"),
    "binary NaN": Bad(struct.pack("<qddqII", 1, float("nan"), 1.0, NOW, 1, 1), "value", "nan"),
    "binary infinity": Bad(struct.pack("<qddq", 1, 1.0, float("inf"), NOW), "value", "inf"),
    "binary before 1970": Bad(struct.pack("<qddq", -1, 1.0, 1.0, NOW), "value", "timestamp=-1"),
    "binary cut short": Bad(struct.pack("<qddq", 1, 1.0, 1.0, NOW)[:31], "json", "31 bytes"),
    "binary too long": Bad(struct.pack("<qddqII", 1, 1.0, 1.0, NOW, 1, 1) + b"\0", "json", "41 bytes"),
    "10 MB": Bad(HUGE, "size", f"{len(HUGE):,} bytes: expected at most 1,048,576"),
}


def assert_rejected(lane: Lane, report: ConsumerReport, goods: int) -> None:
    """All of BAD is in the dead letters, counted by reason, and the good ones are in the store."""
    letters = lane.dead_letters()
    assert [bad.payload[: DeadLetters.LONGEST] for bad in BAD.values()] == [payload for payload, _, _ in letters]
    for (name, bad), (_, reason, detail) in zip(BAD.items(), letters, strict=True):
        assert bad.reason in {"", reason}, name
        assert bad.detail in detail, name
        assert len(detail) <= 1000, name
    reasons = [reason for _, reason, _ in letters]
    assert {reason: reasons.count(reason) for reason in set(reasons)} == report.ledger.reasons
    assert [] == report.ledger.problems()
    assert (goods, len(BAD), 0) == (report.ledger.written, report.ledger.rejected, report.ledger.pending)
    assert goods == lane.stored()


def mixed() -> list[bytes]:
    """A good message before and after each bad one."""
    return [part for n, bad in enumerate(BAD.values()) for part in (good(n), bad.payload)] + [good(len(BAD))]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_bad_messages_on_the_stream_are_kept_with_their_reason(embedded_lane: Lane, configuration: str) -> None:
    """Every bad message is a dead letter and acknowledged; it costs none of its neighbours."""
    embedded_lane.publish(mixed())
    report = consume(embedded_lane, configuration)
    assert_rejected(embedded_lane, report, len(BAD) + 1)
    with embedded_lane.redis() as client:
        assert client.xpending(embedded_lane.bus.stream, embedded_lane.bus.group)["pending"] == 0


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_bad_messages_on_pubsub_are_kept_with_their_reason(lane: Lane, configuration: str) -> None:
    """On Pub/Sub too, on both stacks."""
    with consuming(lane, configuration, transport="pubsub") as (consumer, running):
        lane.publish(mixed(), "pubsub")
        report = finish(consumer, running)
    assert_rejected(lane, report, len(BAD) + 1)


def test_a_stream_entry_of_foreign_shape_is_a_dead_letter(lane: Lane) -> None:
    """An entry with other fields than ours is judged by its first value, and ends nothing."""
    with lane.redis() as client:
        client.xadd(lane.bus.stream, {"sensor": "seven", "value": "12"})
        client.xadd(lane.bus.stream, {"any name": good(1)})
    report = consume(lane)
    assert [(b"seven", "json")] == [letter[:2] for letter in lane.dead_letters()]
    assert (2, 1, {"json": 1}) == (report.ledger.received, report.ledger.written, report.ledger.reasons)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_our_field_of_a_stream_entry_is_found_by_its_name(lane: Lane, configuration: str) -> None:
    """Fields that a tracer or a proxy put beside ours do not hide the message, before or after it."""
    with lane.redis() as client:
        client.xadd(lane.bus.stream, {"trace": "abc", "d": good(1)})
        client.xadd(lane.bus.stream, {"d": good(2), "trace": "abc"})
        client.xadd(lane.bus.stream, {"d": good(3)})
    report = consume(lane, configuration)
    assert (3, 3, []) == (report.ledger.received, report.ledger.written, lane.dead_letters())


# What only the store can know ----------------------------------------------------------------------------------------


def spoil(lane: Lane, field: str) -> None:
    """Make `field` an integer in the store, so that no float will do for it."""
    connection = store.StoreClient(lane.store)
    connection.write(
        store.write_target(lane.store, store.identify(lane.store)), b"system_stats,run=spoilt %b=1i" % field.encode()
    )
    connection.close()


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_point_that_the_store_refuses_is_found_by_bisecting(lane: Lane, configuration: str) -> None:
    """A point that conflicts in type is a dead letter, as its line with the store's words; the others are stored."""
    field = f"clash_{lane.run}"
    spoil(lane, field)
    bad = {17: good(17, fields={field: 1.5}), 63: good(63, fields={field: 2.5})}
    lane.publish([bad.get(n) or good(n) for n in range(100)])
    report = consume(lane, configuration)
    assert ([], 98, {"store": 2}) == (report.ledger.problems(), report.ledger.written, report.ledger.reasons)
    letters = lane.dead_letters()
    for (line, reason, detail), n in zip(letters, bad, strict=True):
        assert reason == "store"
        assert line.startswith(b"system_stats,")
        assert line.endswith(b" %d" % (NOW + n))
        assert field in detail
        assert "conflict" in detail
    assert {n + NOW for n in range(100) if n not in bad} == {row["time"] for row in lane.rows() if "cpu" in row}
    with lane.redis() as client:
        assert client.xpending(lane.bus.stream, lane.bus.group)["pending"] == 0


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_server_that_refuses_whole_bodies_gets_the_good_ones_alone(
    scripted_lane: Lane, scripted: ScriptedStore, status: int
) -> None:
    """InfluxDB 2 writes nothing of a body with one bad line: bisecting leaves only that line out."""
    scripted.on_write = lambda asked: Answer(status, b'{"message":"poison"}') if b"poison" in asked.body else Answer()
    scripted_lane.publish([good(n, host="poison" if n in {0, 50, 51, 99} else "well") for n in range(100)])
    report = consume(scripted_lane)
    assert (96, {"store": 4}) == (report.ledger.written, report.ledger.reasons)
    assert len(scripted.lines()) == 96
    assert all(f"answered {status}" in detail and "poison" in detail for _, _, detail in scripted_lane.dead_letters())


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_page_in_place_of_an_acknowledgement_writes_nothing(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str
) -> None:
    """What a proxy answered for the store is tried again until the store has it."""
    scripted.on_write = first(Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}))
    scripted_lane.publish([good(1)])
    ledger = consume(scripted_lane, configuration).ledger
    assert (1, 1) == (ledger.written, len(scripted.lines()))
    assert ledger.retries >= 1


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_what_the_store_refuses_is_said_at_once_and_once(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning with the store's words, however many messages are refused within the minute."""
    scripted.on_write = lambda _: Answer(400, b"field type conflict: cpu")
    # Fewer than make the consumer wait for the store (test_bulk_refusals.py).
    scripted_lane.publish([good(number) for number in range(ROW - 1)])
    assert ROW - 1 == consume(scripted_lane, configuration).ledger.rejected
    (logged,) = [record for record in caplog.records if "field type conflict: cpu" in record.message]
    assert ("WARNING", True) == (logged.levelname, "messages refused so far: 1" in logged.message)


def test_refusals_are_said_now_and_again(caplog: pytest.LogCaptureFixture) -> None:
    """While they go on, with how many there were."""
    refusals = RefusalLog(seconds=0.0)
    for number in range(3):
        refusals.note(Refused(b"line", f"answer {number}"))
    assert ["answer 0; messages refused so far: 1", "answer 2; messages refused so far: 3"] == [
        record.message.partition(",")[0] for record in caplog.records[::2]
    ]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_times_that_cannot_be_are_rejected(embedded_lane: Lane, configuration: str) -> None:
    """A wrong unit, zeros, a clock far ahead, two times over a day apart: rejected as `time`; the rest is stored."""
    sound = b'{"timestamp":%d,"cpu_usage":1,"mem_usage":2,"send_time_unix_nano":%d}'
    wrong = [
        sound % (SECONDS, NOW // 1_000_000),
        sound % (SECONDS, NOW // 1_000),
        sound % (SECONDS, NOW + 2 * 86_400 * 10**9),
        sound % (SECONDS + 90_000, NOW),
        sound % (SECONDS - 90_000, NOW),
        sound % (SECONDS // 1000, NOW),
        struct.pack("<qddqII", SECONDS - 90_000, 1.0, 2.0, NOW, 1, 1),
        sound % (946_684_799, 0),
        bytes(32),
        bytes(40),
    ]
    right = [sound % (SECONDS, NOW), sound % (SECONDS, 0), sound % (946_684_801, 0)]
    right.append(sound % (SECONDS - 80_000, NOW + 1))
    embedded_lane.publish([b"not JSON", *wrong, *right])
    report = consume(embedded_lane, configuration)
    assert {"json": 1, "time": len(wrong)} == report.ledger.reasons
    assert len(right) == report.ledger.written
    letters = embedded_lane.dead_letters()
    assert wrong == [payload for payload, reason, _ in letters if reason == "time"]
    assert f"expected a point's time, the latter unless 0, from {946_684_800 * 10**9} to" in letters[-1][2]
    assert 4 == sum("expected two times of one moment, 86400 s apart at most" in letter[2] for letter in letters)


def test_a_reject_that_redis_cannot_keep_yet_is_not_lost(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """Where the dead letters cannot be written, the message stays unacknowledged and is judged again later."""
    with scripted_lane.redis() as client:
        client.set(scripted_lane.bus.dead_letters, "a string is in the way")
        scripted_lane.publish([good(1), b"not a message"])
        with consuming(scripted_lane) as (consumer, running):
            consumer.stop.request(0.5)
            running.result(10)
            ledger = consumer.close().ledger
        assert ledger.received == ledger.written + ledger.pending
        client.delete(scripted_lane.bus.dead_letters)
    consume(scripted_lane)
    assert [b"not a message"] == [payload for payload, _, _ in scripted_lane.dead_letters()]
    assert len(scripted.lines()) == 1


# Who the store is asked for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_writes_to_influxdb_2_name_organisation_bucket_precision_and_token(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str
) -> None:
    """Every configuration posts to `/api/v2/write` with the token, org, bucket and nanoseconds."""
    scripted_lane.publish([good(n) for n in range(5)])
    consume(scripted_lane, configuration)
    asked: list[Asked] = [asked for _, asked, _ in scripted.writes]
    assert {("POST", "/api/v2/write", "Token t0k3n")} == {(a.method, a.path, a.headers["authorization"]) for a in asked}
    expected = {"org": "our org", "bucket": "lab", "precision": "ns"}
    assert all(expected == item.query for item in asked)
    lines = b"\n".join(item.body for item in asked).splitlines()
    assert [f"{NOW + n}" for n in range(5)] == [line.rpartition(b" ")[2].decode() for line in lines]


def test_stored_points_carry_no_float_that_json_lost(real: Stack) -> None:
    """Readings survive the whole way to the last digit."""
    lane = Lane.on(real.bus, real.store)
    readings = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 100.0, 123456789.12345679]
    lane.publish([good(n, cpu_usage=value) for n, value in enumerate(readings)])
    consume(lane)
    assert readings == [row["cpu"] for row in lane.rows()]


def test_a_read_may_hold_messages_of_many_days() -> None:
    """Each message's two times are held against each other, not against its neighbours'."""
    days = [SECONDS - n * 86_400 for n in range(20)]
    payloads = [
        b'{"timestamp":%d,"cpu_usage":1,"mem_usage":2,"send_time_unix_nano":%d}' % (at, at * 10**9) for at in days
    ]
    wrong = b'{"timestamp":%d,"cpu_usage":1,"mem_usage":2,"send_time_unix_nano":%d}' % (days[9], days[0] * 10**9)
    bounds = TimeBounds()
    for decoder in DECODERS.values():
        samples, rejected, known = bounds.sift(decoder([*payloads[:7], wrong, *payloads[7:]]), NOW)
        assert days == [sample.timestamp for sample in samples]
        assert known == columns(samples)
        assert [(7, "time")] == [(each.position, each.reason) for each in rejected]
