"""The bus against real Redis and Valkey: every receiver keeps the same promises, and nothing unread is trimmed."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.choices import open_receiver
from support.servers import Lane, wait_until

from sentinel.bus import DeadLetters, Sender, open_publisher, read_pacer, remove, server_version, shown, unread
from sentinel.bus.link import client
from sentinel.bus.read_pacer import ReadPacer
from sentinel.bus.receiving.stream import RedisPyStream
from sentinel.bus.send import Frame
from sentinel.errors import BusError, SettingsError
from sentinel.model.codecs import MAX_PAYLOAD
from sentinel.settings import BusSettings, ConsumerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sentinel.bus import Receiver
    from sentinel.lab.stack import Stack

KINDS = ["redis-py", "socket-reads"]


@pytest.fixture
def opened(lane: Lane) -> Iterator[Callable[..., Receiver]]:
    """Opens receivers on this test's lane, and closes them all."""
    receivers: list[Receiver] = []

    def open_one(kind: str, transport: str = "stream", **settings: object) -> Receiver:
        consumer = ConsumerSettings(**{"transport": transport, "name": "c1", **settings})  # type: ignore[arg-type]
        receivers.append(open_receiver(kind, lane.bus, consumer))
        return receivers[-1]

    yield open_one
    for receiver in receivers:
        receiver.close()


def take(receiver: Receiver, count: int) -> tuple[list[bytes], list[bytes]]:
    """Ids and payloads of `count` messages, or of what comes within some seconds."""
    ids: list[bytes] = []
    payloads: list[bytes] = []
    end = time.monotonic() + 5
    while len(payloads) < count and time.monotonic() < end:
        if read := receiver.read(0.05):
            ids += read.ids
            payloads += read.payloads
    return ids, payloads


def numbered(start: int, end: int) -> list[bytes]:
    """Distinct payloads."""
    return [b"payload %06d" % n for n in range(start, end)]


# Receiving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["pubsub", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_published_is_received_in_order(
    lane: Lane, opened: Callable[..., Receiver], kind: str, transport: str
) -> None:
    """Payloads of any bytes and size come once and in order, with the time of their read; then nothing comes."""
    receiver = opened(kind, transport)
    payloads = [*numbered(0, 500), b"", b"\r\n$5\r\n\x00\xff", b"x" * 300_000, b"the last"]
    before = time.time_ns()
    assert len(payloads) == lane.publish(payloads, transport)
    ids, got = take(receiver, len(payloads))
    assert payloads == got
    assert len(ids) == (len(payloads) if transport == "stream" else 0)
    assert receiver.read(0.01) is None
    lane.publish([b"one more"], transport)
    read = receiver.read(1.0)
    assert read is not None
    assert before < read.at <= time.time_ns()


@pytest.mark.parametrize("transport", ["pubsub", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_read_waits_no_longer_than_asked(opened: Callable[..., Receiver], kind: str, transport: str) -> None:
    """An empty bus holds a reader for its timeout, so that a stop is noticed."""
    receiver = opened(kind, transport)
    receiver.read(0.0)
    start = time.monotonic()
    assert receiver.read(0.2) is None
    assert 0.1 < time.monotonic() - start < 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_and_a_stream_of_one_name_do_not_meet(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """The default key serves both transports: what is published on one never shows on the other."""
    channel, stream = opened(kind, "pubsub"), opened(kind, "stream")
    lane.publish([b"said"], "pubsub")
    lane.publish([b"written"], "stream")
    assert [b"said"] == take(channel, 1)[1]
    assert [b"written"] == take(stream, 1)[1]
    assert (channel.read(0.01), stream.read(0.01)) == (None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_pubsub_is_subscribed_when_it_is_opened(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """Opening returns once the subscription stands: the very next message has a receiver."""
    for expected in (1, 2, 3):
        opened(kind, "pubsub")
        assert expected == lane.publish([b"anybody?"], "pubsub")


@pytest.mark.parametrize("kind", KINDS)
def test_own_unacknowledged_entries_come_first(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """A consumer that comes back under its name gets what it had not acknowledged, then what is new."""
    lane.publish(numbered(0, 10))
    ids, _ = take(opened(kind), 10)
    again = opened(kind)
    again.acknowledge(ids[:4])
    again.flush_acks()
    lane.publish(numbered(10, 12))
    assert numbered(4, 12) == take(opened(kind), 8)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_own_entries_that_were_trimmed_are_counted(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """An entry that was read, not acknowledged and then deleted by somebody is counted, and never read again."""
    lane.publish(numbered(0, 10))
    ids, _ = take(opened(kind), 10)
    with lane.redis() as redis:
        redis.xdel(lane.bus.stream, *ids[:3])
        again = opened(kind)
        assert numbered(3, 10) == take(again, 7)[1]
        assert again.maintain() == 3
        again.flush_acks()
        assert redis.xpending(lane.bus.stream, lane.bus.group)["pending"] == 7


@pytest.mark.parametrize("kind", KINDS)
def test_only_idle_entries_of_others_are_claimed(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """What another consumer holds is taken over once it has been idle for long enough, and not before."""
    lane.publish(numbered(0, 30))
    take(opened("socket-reads", name="dead"), 30)
    patient, eager = opened(kind, name="patient", claim_idle=60.0), opened(kind, name="eager", claim_idle=0.05)
    time.sleep(0.1)
    assert patient.claim() is None
    read = eager.claim()
    assert read is not None
    assert numbered(0, 30) == list(read.payloads)
    eager.acknowledge(read.ids)
    eager.flush_acks()
    with lane.redis() as redis:
        assert redis.xpending(lane.bus.stream, lane.bus.group)["pending"] == 0


@pytest.mark.parametrize("transport", ["pubsub", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_receiver_works_again_after_a_broken_connection(
    lane: Lane, opened: Callable[..., Receiver], kind: str, transport: str
) -> None:
    """A killed connection is a BusError, and a new one goes on; redis-py's streams connect again by themselves."""
    receiver = opened(kind, transport)
    receiver.read(0.01)
    with lane.redis() as redis:
        redis.execute_command("CLIENT", "KILL", "SKIPME", "yes")
    if (kind, transport) != ("redis-py", "stream"):
        with pytest.raises(BusError, match=r"Redis at redis://127\.0\.0\.1:\d+/0: "):
            receiver.read(0.05)
        receiver.reconnect()
    lane.publish([b"again"], transport)
    assert [b"again"] == take(receiver, 1)[1]


@pytest.mark.parametrize("transport", ["pubsub", "stream"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_longest_payload_is_put_together_whole(
    lane: Lane, opened: Callable[..., Receiver], kind: str, transport: str
) -> None:
    """A payload far above the socket buffer arrives as it was sent; one above the limit stays too long, and no more."""
    receiver = opened(kind, transport)
    payloads = [b"m" * MAX_PAYLOAD, b"m" * 9_000_000, b"small"]
    lane.publish(payloads, transport)
    got = take(receiver, 3)[1]
    assert (payloads[0], payloads[2]) == (got[0], got[2])
    assert len(got[1]) > MAX_PAYLOAD
    assert got[1].startswith(b"m" * 8192)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bus_is_told_with_the_next_read_at_the_latest(
    lane: Lane, opened: Callable[..., Receiver], kind: str
) -> None:
    """What is acknowledged is no longer pending once another read, or `flush_acks`, has returned; then none is left."""
    lane.publish(numbered(0, 6))
    receiver = opened(kind)
    ids, _ = take(receiver, 6)
    with lane.redis() as redis:
        told = lambda: receiver.read(0.01), receiver.flush_acks, receiver.flush_acks
        for known, flush in zip((ids[:2], ids[2:4], ()), told, strict=True):
            receiver.acknowledge(known) if known else None
            flush()
            left = redis.xpending(lane.bus.stream, lane.bus.group)["pending"]
            assert (0, left) == (receiver.unacknowledged, 4 if known == ids[:2] else 2)


def test_what_redis_was_not_told_is_told_over_the_next_connection(lane: Lane, opened: Callable[..., Receiver]) -> None:
    """An acknowledgement whose connection breaks stays open until a later one has an answer."""
    lane.publish(numbered(0, 6))
    receiver = opened("socket-reads")
    ids, _ = take(receiver, 6)
    with lane.redis() as redis:
        redis.execute_command("CLIENT", "KILL", "SKIPME", "yes")
        receiver.acknowledge(ids[:5])
        with pytest.raises(BusError):
            receiver.flush_acks()
        assert receiver.unacknowledged == 5
        receiver.reconnect()
        assert receiver.read(0.01) is None  # the sixth is ours to acknowledge: it is not read a second time
        assert (0, 1) == (receiver.unacknowledged, redis.xpending(lane.bus.stream, lane.bus.group)["pending"])


# Housekeeping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_acknowledged_is_trimmed_and_nothing_else(
    lane: Lane, opened: Callable[..., Receiver], kind: str
) -> None:
    """The stream does not grow for ever; entries unread or unacknowledged stay, by whichever group."""
    lane.publish(numbered(0, 2000))
    receiver = opened(kind, read_count=500)
    ids, _ = take(receiver, 1500)
    receiver.maintain()
    with lane.redis() as redis:
        assert redis.xlen(lane.bus.stream) == 2000
        receiver.acknowledge([*ids[:1000], *ids[1001:]])
        receiver.flush_acks()
        receiver.maintain()
        left = [fields[b"d"] for _, fields in redis.xrange(lane.bus.stream)]
        assert numbered(1000, 2000) == left[-1000:]
        assert len(left) <= 1100  # whole nodes of 100
        redis.xgroup_create(lane.bus.stream, "another group", id="0")
        receiver.acknowledge(ids)
        receiver.flush_acks()
        receiver.maintain()
        assert redis.xlen(lane.bus.stream) == len(left)
        redis.xgroup_destroy(lane.bus.stream, "another group")
        receiver.maintain()
        assert redis.xlen(lane.bus.stream) <= 600
        assert [fields[b"d"] for _, fields in redis.xrange(lane.bus.stream)][-500:] == numbered(1500, 2000)


@pytest.mark.parametrize("kind", KINDS)
def test_entries_trimmed_unread_are_found(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """Entries that somebody trimmed before they were read are counted once, however many times that happens."""
    receiver = opened(kind, read_count=1)
    lane.publish(numbered(0, 100))
    take(receiver, 100)
    assert receiver.maintain() == 0
    with lane.redis() as redis:
        lane.publish(numbered(100, 1000))
        redis.xtrim(lane.bus.stream, maxlen=300, approximate=False)
        assert [600, 0] == [receiver.maintain() for _ in range(2)]
        redis.xtrim(lane.bus.stream, maxlen=250, approximate=False)
        assert [50, 0] == [receiver.maintain() for _ in range(2)]
        assert numbered(750, 1000) == take(receiver, 250)[1]
        assert receiver.maintain() == 0
        lane.publish(numbered(1000, 1100))
        redis.xtrim(lane.bus.stream, maxlen=0, approximate=False)
        assert [100, 0] == [receiver.maintain() for _ in range(2)]


@pytest.mark.parametrize("kind", KINDS)
def test_trimming_what_was_read_is_no_loss(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """Neither our own trimming nor somebody's, of entries that were read, is taken for a loss."""
    receiver = opened(kind, read_count=10)
    lane.publish(numbered(0, 500))
    ids, _ = take(receiver, 300)
    receiver.acknowledge(ids)
    with lane.redis() as redis:
        redis.xtrim(lane.bus.stream, maxlen=200, approximate=False)
    assert [0, 0, 0] == [receiver.maintain() for _ in range(3)]
    receiver.acknowledge(take(receiver, 200)[0])
    assert [0, 0, 0] == [receiver.maintain() for _ in range(3)]


@pytest.mark.parametrize("kind", KINDS)
def test_housekeeping_of_a_deleted_stream_is_quiet(lane: Lane, opened: Callable[..., Receiver], kind: str) -> None:
    """Where the stream is gone there is nothing to trim, and reading makes the group anew."""
    receiver = opened(kind)
    remove(lane.bus)
    assert receiver.maintain() == 0
    lane.publish([b"first of the new"])
    assert [b"first of the new"] == take(receiver, 1)[1]


def test_unread_counts_what_the_group_was_not_given(lane: Lane, opened: Callable[..., Receiver]) -> None:
    """No stream: none; no group: all; then what lies past the last entry given."""
    assert unread(lane.bus) == 0
    lane.publish(numbered(0, 10))
    assert unread(lane.bus) == 10
    receiver = opened("redis-py")
    assert unread(lane.bus) == 10
    take(receiver, 4)
    assert unread(lane.bus) == 6


def test_the_dead_letter_stream_is_bounded(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Garbage cannot fill Redis: about the newest letters are kept, with details cut to a bearable length."""
    monkeypatch.setattr(DeadLetters, "KEEP", 200)
    letters = DeadLetters(lane.bus)
    letters.put([(b"p" * 5_000_000, "size", "")])
    assert [(b"p" * 4096, "size", "")] == lane.dead_letters()
    letters.put([(payload, "json", "d" * 5000) for payload in numbered(0, 1000)])
    letters.close()
    kept = lane.dead_letters()
    assert 200 <= len(kept) < 400
    assert kept[-1] == (b"payload 000999", "json", "d" * 1000)


# Sending -------------------------------------------------------------------------------------------------------------


@given(transport=st.sampled_from(["pubsub", "stream"]), payloads=st.lists(st.binary(max_size=200)))
def test_a_frame_is_what_hiredis_would_pack(transport: str, payloads: list[bytes]) -> None:
    """Commands put together at once are, byte by byte, those packed one after another, whatever the payloads hold."""
    bus = BusSettings()
    words = ("PUBLISH", bus.channel) if transport == "pubsub" else ("XADD", bus.stream, "*", "d")
    expected = b"".join(hiredis.pack_command((*words, payload)) for payload in payloads)
    assert expected == Frame(bus, transport)(payloads)


@pytest.mark.parametrize("transport", ["pubsub", "stream"])
def test_a_sender_counts_answers_and_receivers(lane: Lane, opened: Callable[..., Receiver], transport: str) -> None:
    """Messages over several connections count once Redis has answered; Pub/Sub tells who listened."""
    receivers = [opened("socket-reads", transport) for _ in range(2)]
    sender = Sender(lane.bus, transport, 3)
    for connection in range(3):
        sender.send(connection, numbered(connection * 100, connection * 100 + 100))
    accepted = heard = 0
    while sender.owed:
        answers = sender.collect(1.0)
        accepted, heard = accepted + answers.accepted, heard + answers.receivers
        assert not answers.refused
    sender.close()
    assert (300, 600 if transport == "pubsub" else 0) == (accepted, heard)
    assert numbered(0, 300) == sorted(take(receivers[0], 300)[1])


def test_a_refusal_is_counted_with_redis_words(lane: Lane) -> None:
    """A message that Redis refuses is no sent message."""
    with lane.redis() as redis:
        redis.set(lane.bus.stream, "no stream")
    sender = Sender(lane.bus, "stream", 1)
    sender.send(0, [b"x"] * 3)
    answers = sender.collect(1.0)
    sender.close()
    assert (3, 3, 0) == (answers.accepted, answers.refused, sender.owed)
    assert "WRONGTYPE" in answers.reason


def test_unanswered_messages_are_sent_again(lane: Lane, opened: Callable[..., Receiver]) -> None:
    """What was sent over a connection that broke, and never answered, leaves again over the new one."""
    receiver = opened("socket-reads")
    sender = Sender(lane.bus, "stream", 2)
    sender._links[0].owed += numbered(0, 3)  # sent, and lost on the way
    sender.reconnect()
    wait_until("all is answered", lambda: sender.collect(0.1) and not sender.owed)
    sender.close()
    assert numbered(0, 3) == take(receiver, 3)[1]


def test_answers_before_a_break_are_not_forgotten(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one connection has answered counts, although another one breaks in the same moment."""
    sender = Sender(lane.bus, "stream", 2)
    for connection in range(2):
        sender.send(connection, numbered(connection * 10, connection * 10 + 10))
    broken = sender._links[1]._socket
    monkeypatch.setattr(broken, "fill", _closed)
    with pytest.raises(BusError, match="closed"):
        sender.collect(1.0)
    assert sender.owed == 10
    sender.reconnect()
    accepted = 0
    while sender.owed:
        accepted += sender.collect(1.0).accepted
    sender.close()
    assert accepted == 20


def _closed(_timeout: float) -> bool:
    raise EOFError("the connection was closed by the server")


# Errors --------------------------------------------------------------------------------------------------------------

NOWHERE = BusSettings(url="redis://someone:s3cret@127.0.0.1:1/0")


@pytest.mark.parametrize(
    "act",
    [
        server_version,
        unread,
        remove,
        lambda bus: open_receiver("redis-py", bus, ConsumerSettings(transport="pubsub")),
        lambda bus: open_receiver("socket-reads", bus, ConsumerSettings(transport="pubsub")),
        lambda bus: open_receiver("redis-py", bus, ConsumerSettings()),
        lambda bus: open_receiver("socket-reads", bus, ConsumerSettings()),
        lambda bus: Sender(bus, "stream", 1),
        lambda bus: open_publisher(bus, "stream").publish([b"x"]),
        lambda bus: DeadLetters(bus).put([(b"x", "json", "")]),
    ],
)
def test_an_absent_redis_is_a_bus_error_without_the_password(act: Callable[[BusSettings], object]) -> None:
    """Whoever asks: one error of ours, with the address, the cause and what to check, and never the password."""
    with pytest.raises(BusError) as caught:
        act(NOWHERE)
    message = str(caught.value)
    assert message.startswith("Redis at redis://127.0.0.1:1/0: ")
    assert "Connection refused" in message
    assert "does REDIS_URL name it?" in message
    assert "s3cret" not in message


def test_what_is_no_redis_is_a_bus_error() -> None:
    """A stranger on the port is reported, not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        url = f"redis://127.0.0.1:{stranger.getsockname()[1]}/0"
        with pytest.raises(BusError, match="Timeout"):
            server_version(BusSettings(url=f"{url}?socket_timeout=0.2"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_another_type_is_an_error_at_once(lane: Lane, kind: str) -> None:
    """A stream's name that something else has is said when the consumer starts, not tried again for ever."""
    with lane.redis() as redis:
        redis.set(lane.bus.stream, "a string")
    with pytest.raises(BusError, match="WRONGTYPE"):
        open_receiver(kind, lane.bus, ConsumerSettings())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "scheme"),
        ("http://127.0.0.1:6379", "scheme"),
        ("redis://127.0.0.1:port", "port"),
        ("redis://user:s3cret@127.0.0.1:99999999/0", "Port out of range"),
        ("redis://user:s3cret/more@127.0.0.1:6379/0", "write a password's / as %2F"),
    ],
)
def test_a_url_that_is_none_is_a_settings_error(url: str, words: str) -> None:
    """A mistyped REDIS_URL is shown as it was given, without its password."""
    with pytest.raises(SettingsError, match=r"^REDIS_URL='.*' is not a Redis address: ") as caught:
        client(BusSettings(url=url))
    assert words.lower() in str(caught.value).lower()
    assert shown(url) in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://user:pass@host/1", "rediss://host/1"),
        ("redis://:p@ss@host", "redis://host"),
        ("redis://u:a://b@host", "redis://host"),
        ("localhost:6379", "localhost:6379"),
        ("u:pass@localhost", "localhost"),
        ("redis://localhost:6379/0?password=pass", "redis://localhost:6379/0"),
        ("redis://:a?b@localhost", "redis://(hidden)"),
        ("redis://localhost/?password=a@b", "redis://(hidden)"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, expected: str) -> None:
    """What stands before the last @ is not shown, nor a host that may be part of a secret."""
    assert expected == shown(url)


def test_an_unknown_transport_is_refused(embedded: Stack) -> None:
    """The error names the value and both transports."""
    with pytest.raises(SettingsError, match=r"^transport='kafka' is unknown: expected pubsub or stream$"):
        open_receiver("redis-py", embedded.bus, ConsumerSettings(transport="kafka"))


def test_the_server_says_who_it_is(real: Stack) -> None:
    """Valkey is not called Redis, although it says so for compatibility."""
    expected = "Valkey 9." if real.kind == "embedded" else "Redis "
    assert server_version(real.bus).startswith(expected)


def test_one_entry_a_read_is_the_documented_way(lane: Lane, opened: Callable[..., Receiver]) -> None:
    """`redis-py` reads one entry at a time, `socket-reads` as many as it is allowed."""
    lane.publish(numbered(0, 100))
    plain, whole = opened("redis-py", name="a"), opened("socket-reads", name="b", read_count=40)
    assert (None, None) == (plain.read(0.01), whole.read(0.01))
    reads = [plain.read(1.0), whole.read(1.0)]
    assert [1, 40] == [len(read.payloads) for read in reads if read]
    assert RedisPyStream.COUNT == 1


def test_several_keys_on_one_redis_do_not_meet(embedded: Stack) -> None:
    """Tests, trials and experiments with keys of their own share a server."""
    lanes = [Lane.on(embedded.bus, embedded.store) for _ in range(2)]
    lanes[0].publish([b"mine"])
    assert [1, 0] == [unread(lane.bus) for lane in lanes]
    assert replace(lanes[0].bus, stream="", channel="", dead_letters="").url == embedded.bus.url
    remove(lanes[0].bus)
    assert unread(lanes[0].bus) == 0


def test_reconnecting_breaks_no_connection_that_is_in_use(embedded_lane: Lane) -> None:
    """What another thread has asked on a connection of its own is answered, although this one reconnects meanwhile."""
    receiver = RedisPyStream(embedded_lane.bus, ConsumerSettings())
    pool = receiver._client.connection_pool
    connection = pool.get_connection()
    connection.send_command("PING")
    receiver.reconnect()
    assert connection.read_response() == b"PONG"
    pool.release(connection)
    receiver.close()


class Sleeper:
    """Monotonic seconds that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let so many pass."""
        self.now += seconds


@pytest.mark.parametrize(
    ("reads", "pauses"),
    [
        pytest.param([0, 0], [0.1, 0.1], id="nothing comes"),
        pytest.param([1, 10, 0], [0.25, 0.25, 0.1], id="light"),
        pytest.param([10, 200, 10], [0.25, 0.25, 0.25], id="a hiccup under a light load"),
        pytest.param([200, 200, 200, 200], [0.25, 0.25, 2, 2], id="heavy"),
        pytest.param([200, 200, 200, 50], [0.25, 0.25, 2, 0.25], id="heavy, then light"),
        pytest.param([1000, 1000], [0.1, 0.1], id="a full stream"),
        pytest.param([200, 0, 200], [0.25, 0.1, 0.25], id="bursts"),
    ],
)
def test_reads_are_as_far_apart_as_the_load_asks(
    monkeypatch: pytest.MonkeyPatch, reads: list[int], pauses: list[int]
) -> None:
    """Reads of 0.1 ms begin as far apart as was set; 2 ms under a steady heavy load; at once after none, or enough."""
    clock = Sleeper()
    monkeypatch.setattr(read_pacer, "time", clock)
    pacer = ReadPacer(0.00025)
    pacer.wait()
    apart = []
    for messages in reads:
        before = clock.now
        clock.now += 0.0001
        pacer.came(messages)
        pacer.wait()
        apart.append(1000 * (clock.now - before))
    assert apart == pytest.approx(pauses, rel=1e-6)


def test_time_that_passed_anyway_is_part_of_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause counts from the start of the read before it: whoever was busy so long does not wait at all."""
    clock = Sleeper()
    monkeypatch.setattr(read_pacer, "time", clock)
    pacer = ReadPacer(1.0)
    pacer.wait()
    pacer.came(5)
    clock.now += 0.75
    pacer.wait()
    assert clock.now == 101.0
    pacer.came(5)
    clock.now += 3.0
    pacer.wait()
    assert clock.now == 104.0
