"""Trials of contenders on real stacks: accounted for by the store's count, and whatever they do wrong is one line."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import pytest
from support.contending import HANDLER, LINES, OURS, TEMPLATE, changed, contender, past_the_tap
from support.servers import wait_until

from sentinel import store
from sentinel.bus.link import client
from sentinel.errors import RunEndedError, RunError
from sentinel.lab.contenders import program
from sentinel.lab.contenders import trial as trials
from sentinel.lab.contenders.contest import Contest, NotTimed
from sentinel.lab.contenders.tapped import TappedTrial
from sentinel.lab.contenders.tree import TreeProbe
from sentinel.lab.contenders.trial import ContenderTrial
from sentinel.lab.contenders.verification.checks import Check
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, MEMORY, WARM_UP, Outcome, Plan
from sentinel.lab.trials.trial import Trial
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

PACED = LoadSettings(rate=200.0, duration=1.0 + WARM_UP, workers=4)
HEARD = LoadSettings(transport="pubsub", rate=200.0, duration=1.0 + WARM_UP, workers=4)
FULL = LoadSettings(count=2000, workers=4)

pytestmark = pytest.mark.timeout(120)


class Ring:
    """Carries out trials of contenders, each with a number and a folder of its own."""

    def __init__(self, stack: Stack, folder: Path, supervisor: Supervisor) -> None:
        self.stack = stack
        self.folder = folder
        self.supervisor = supervisor
        self.given: tuple[Any, ...] = ()

    def plan(self, kind: str, configuration: str, load: LoadSettings, group: str = "") -> Plan:
        """The plan of this test's trial."""
        return Plan(1, kind, configuration, configuration, load, 500, group=group)

    def of(self, plan: Plan, text: str = TEMPLATE, **keys: str) -> ContenderTrial:
        """The trial of a contender."""
        item = contender(self.folder / "mine", text, **keys)
        return ContenderTrial(item, *self._given(plan), check=lambda: None)

    def ours(self, plan: Plan) -> TappedTrial:
        """The trial of one of our configurations through a tap."""
        return TappedTrial(*self._given(plan), check=lambda: None)

    def _given(self, plan: Plan) -> tuple[Any, ...]:
        return plan, self.stack, self.folder / "trial", self.supervisor, f"ring-{self.folder.name}-{time.time_ns()}"


@pytest.fixture
def ring(embedded: Stack, tmp_path: Path, supervisor: Supervisor) -> Ring:
    """A ring on the embedded stack."""
    return Ring(embedded, tmp_path, supervisor)


@pytest.fixture
def real_ring(real: Stack, tmp_path: Path, supervisor: Supervisor) -> Ring:
    """A ring on each real stack in turn."""
    return Ring(real, tmp_path, supervisor)


def left_of(folder: Path) -> list[int]:
    """Living processes that a contender of this folder has left."""
    collected = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder.resolve()) and process.status() != psutil.STATUS_ZOMBIE:
                collected.append(process.pid)
    return collected


def assert_nothing_is_left(trial: Trial, ring: Ring) -> None:
    """Neither a process nor a key nor the bodies that passed outlive a trial."""
    assert [] == left_of(ring.folder / "mine")
    with client(trial.bus) as redis:
        assert [] == redis.keys(f"{trial.bus.stream}*")
    assert [] == list(trial.folder.rglob("*.notes"))


def test_a_contender_is_timed_beside_a_load(real_ring: Ring) -> None:
    """Stored latency, throughput, CPU and memory follow without its help; internal and e2e are not guessed."""
    trial = real_ring.of(real_ring.plan(LATENCY, "mine", PACED, HEADLINE))
    outcome = trial.run()
    assert ([], True) == (outcome.problems, outcome.valid)
    assert (400, 400, 0, 0) == (outcome.sender["sent"], outcome.stored, outcome.lost, outcome.unread)
    assert 0 < outcome.latencies["stored"]["p50"] <= outcome.latencies["stored"]["max"]
    assert 0 < outcome.latencies["stored"]["n"] < 400
    assert (0, 0) == (outcome.latencies["internal"]["n"], outcome.latencies["e2e"]["n"])
    assert 0 < outcome.latencies["visible"]["n"] <= 30
    assert outcome.throughput > 0
    assert outcome.peak_rss_mb
    assert outcome == msgspec.json.decode((trial.folder / "trial.json").read_bytes(), type=Outcome)
    assert_nothing_is_left(trial, real_ring)


def test_a_contender_drains_a_stream(ring: Ring) -> None:
    """Its capacity is counted from the store's first answer to its last."""
    trial = ring.of(ring.plan(CAPACITY, "mine", FULL))
    outcome = trial.run()
    assert ([], True) == (outcome.problems, outcome.valid)
    assert (2000, 2000, 0) == (outcome.stored, outcome.wire["distinct"], outcome.wire["duplicated"])
    assert 4 <= outcome.wire["requests"]
    assert outcome.throughput > 0
    assert_nothing_is_left(trial, ring)


def test_a_drain_of_little_cpu_says_why_it_tells_none(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks of the CPU's clock are not divided by messages where there are few of them."""
    monkeypatch.setattr(trials, "LEAST_CPU", 1e6)
    outcome = ring.of(ring.plan(CAPACITY, "mine", FULL)).run()
    assert (True, None) == (outcome.valid, outcome.cpu_us)
    assert outcome.wire["cpu"].endswith("are too little to say")


def test_our_own_configurations_take_the_same_way(real_ring: Ring) -> None:
    """Through the tap ours are accounted for as before, and the tap sees each point that they record as stored."""
    trial = real_ring.ours(real_ring.plan(LATENCY, "optimised", PACED))
    outcome = trial.run()
    assert ([], True) == (outcome.problems, outcome.valid)
    assert (400, 400) == (outcome.stored, outcome.wire["distinct"])
    own = series.histogram(series.intervals(trial.folder / series.CONSUMER), "stored")
    seen = series.histogram(series.intervals(trial.folder / series.TAP), "stored")
    assert 400 == len(own) == len(seen)
    assert seen.quantile(0.5) <= own.quantile(0.5) * 1.01  # the tap has the answer first
    assert 0 < outcome.latencies["e2e"]["n"] < 400


def test_a_record_gives_internal_and_e2e(ring: Ring) -> None:
    """A contender that keeps the record folder has the other latencies, too."""
    write = (
        "\ndef told(count):\n"
        '    line = {"at": __import__("time").time_ns(), "internal": {"900": count}, "e2e": {"2000": count}}\n'
        '    with open(os.environ["SENTINEL_RECORD"] + "/intervals.jsonl", "a") as file:\n'
        "        file.write(json.dumps(line) + chr(10))\n\n\ndef store(payloads):"
    )
    text = changed(
        ("\ndef store(payloads):", write), ("        bus.xack(", "        told(len(entries))\n        bus.xack(")
    )
    outcome = ring.of(ring.plan(LATENCY, "mine", PACED), text).run()
    assert ([], True) == (outcome.problems, outcome.valid)
    assert outcome.latencies["e2e"]["n"] > 0
    assert outcome.latencies["internal"]["p50"] < outcome.latencies["e2e"]["p50"]


def test_our_own_record_is_such_a_record(ring: Ring) -> None:
    """Our consumer as a contender has all latencies, and its own word of what it received."""
    trial = ring.of(ring.plan(LATENCY, "mine", PACED), OURS.replace("CONFIGURATION", "'optimised'"), grace="25")
    outcome = trial.run()
    assert ([], [], True) == (outcome.problems, outcome.warnings, outcome.valid)
    assert 0 < outcome.latencies["internal"]["p50"] <= outcome.latencies["e2e"]["p50"]
    assert (400, 400) == (outcome.consumer["received"], outcome.stored)


def test_messages_that_nobody_heard_are_lost(ring: Ring) -> None:
    """On Pub/Sub the store's count tells the loss, whatever the contender says."""
    text = changed(
        ("bus.xreadgroup(group, me, {key: start}, count=int(size), block=100)", "heard()"),
        ("        bus.xack(key, group, *(number for number, _ in entries))\n", ""),
        (
            "with contextlib.suppress(redis.ResponseError):  # the group",
            HEARD_TEXT + "with contextlib.suppress(redis.ResponseError):  # the group",
        ),
        ('    bus.xgroup_create(key, group, id="0", mkstream=True)\n', "    pass\n"),
    )
    trial = ring.of(ring.plan(LATENCY, "mine", HEARD), text, speaks='["pubsub/json"]')
    outcome = trial.run()
    assert ([], True) == (outcome.problems, outcome.valid)
    assert 400 == outcome.stored + outcome.lost
    assert 100 == outcome.lost
    assert_nothing_is_left(trial, ring)


HEARD_TEXT = """channel, numbers = bus.pubsub(ignore_subscribe_messages=True), __import__("itertools").count()
channel.subscribe(key)
channel.get_message(timeout=5)


def heard():
    message = channel.get_message(timeout=0.1)
    if not message:
        return []
    return [(key, [(0, {b"d": message["data"] if next(numbers) % 4 else b"lost"})])]


"""

CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=%s)
"""

WRONG = {
    "crashes at start": ("raise SystemExit('no such setting')", "mine ended before it was ready: exit code 1; its log"),
    "is never ready": (
        changed(('Path(os.environ["SENTINEL_READY"]).touch()\n', "")),
        "was not ready after 2 s: it did not create the file that SENTINEL_READY names; its log is",
    ),
    "crashes in mid-trial": (
        changed(("def line(payload):\n", "def line(payload):\n    os._exit(7)\n")),
        "mine ended with exit code 7",
    ),
    "ends by itself": (
        changed(("def line(payload):\n", "def line(payload):\n    os._exit(0)\n")),
        "mine ended by itself in mid-trial: exit code 0",
    ),
    "is killed": (
        changed(("def line(payload):\n", "def line(payload):\n    os.kill(os.getpid(), 9)\n")),
        "mine ended with signal 9",
    ),
    "ignores SIGTERM": (
        changed((HANDLER, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")),
        "mine still ran 2 s after SIGTERM, and was killed",
    ),
    "hangs": (
        changed(("def line(payload):\n", "def line(payload):\n    signal.pause()\n")),
        "mine stored nothing more for 2 s, and was stopped; its log is",
    ),
    "writes nothing": (changed((LINES, '""')), "mine stored nothing: its log is"),
    "writes to another bucket": (
        changed(
            ('os.environ["SENTINEL_WRITE_URL"]', 'os.environ["SENTINEL_WRITE_URL"].replace("sentinel_lab", "other")')
        ),
        "mine writes to bucket 'other': expected INFLUX_BUCKET, 'sentinel_lab'",
    ),
    "stores each message twice": (
        changed((LINES, '"".join(s + s.replace("system_stats", "system_stats,copy=1") for s in map(line, payloads))')),
        "mine stored 4,000 points of 2,000 messages: one of each is expected",
    ),
    "drops messages": (
        changed((LINES, '"".join(map(line, list(payloads)[1:]))')),
        "messages were lost, 0 were left on the stream",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_contender_does_wrong_is_an_invalid_trial_with_one_line(
    what: str, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is said, and nothing of it is left."""
    text, message = WRONG[what]
    monkeypatch.setattr(program, "START_LIMIT", 2.0 if what == "is never ready" else 20.0)
    monkeypatch.setattr(trials, "STALL_LIMIT", 2.0 if what == "hangs" else 10.0)
    if what == "writes to another bucket":
        store.prepare(replace(ring.stack.store, bucket="other"), store.identify(ring.stack.store))
    trial = ring.of(ring.plan(CAPACITY, "mine", FULL), text)
    outcome = trial.run()
    assert not outcome.valid
    assert message in outcome.problems[0]
    assert not any("\n" in problem for problem in outcome.problems)
    assert_nothing_is_left(trial, ring)


def test_who_writes_past_the_tap_is_an_invalid_trial_that_says_so(ring: Ring) -> None:
    """It is not said to have stored nothing."""
    outcome = ring.of(ring.plan(CAPACITY, "mine", FULL), past_the_tap(ring.stack.store.url)).run()
    assert (False, [f"mine {program.PAST_THE_TAP}"]) == (outcome.valid, outcome.problems)


@pytest.mark.parametrize("session", [False, True])
def test_children_that_outlive_it_are_ended(session: bool, ring: Ring) -> None:
    """Also those of a session of their own; the trial says that there were some."""
    trial = ring.of(
        ring.plan(CAPACITY, "mine", FULL), TEMPLATE.replace("stopped = []", f"stopped = []{CHILD % session}")
    )
    outcome = trial.run()
    assert ([], True) == (outcome.problems, outcome.valid)
    assert ["mine left 1 of its processes running: they were killed"] == outcome.warnings
    assert_nothing_is_left(trial, ring)


def test_a_log_that_floods_is_cut_and_holds_nothing_up(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it prints past the most that is kept is read and dropped."""
    monkeypatch.setattr(program, "MOST_LOG", 10_000)
    text = changed(("def line(payload):\n", 'def line(payload):\n    print("x" * 5000)\n'))
    trial = ring.of(ring.plan(CAPACITY, "mine", FULL), text)
    outcome = trial.run()
    assert ([], True) == (outcome.problems, outcome.valid)
    log = (trial.folder / "consumer.log").read_bytes()
    assert len(log) < 11_000
    assert b"the rest of its output was left out" in log


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("int(m.get('send_time_unix_nano') or ", "int("), "whole seconds"),
        (('"source": m.get("source")', '"source": None'), "do not name their source"),
    ],
)
def test_points_that_tell_no_latency_leave_a_dash(change: tuple[str, str], why: str, ring: Ring) -> None:
    """Points that overwrite each other or name no source are counted as what they are; there is no latency of them."""
    outcome = ring.of(ring.plan(LATENCY, "mine", PACED), changed(change)).run()
    assert why in outcome.wire["unmeasurable"]
    assert 0 == outcome.latencies["stored"]["n"]
    assert "p50" not in outcome.latencies["stored"]
    assert outcome.sender["sent"] == outcome.stored + outcome.wire["overwritten"] + outcome.lost + outcome.unread


def test_readiness_by_its_log(ring: Ring) -> None:
    """A line of its log says that it reads."""
    text = changed(('Path(os.environ["SENTINEL_READY"]).touch()', 'print("now reading")'))
    outcome = ring.of(ring.plan(LATENCY, "mine", PACED), text, ready='"log:now r.ading"').run()
    assert ([], 400) == (outcome.problems, outcome.stored)


@pytest.mark.parametrize("load", [PACED, FULL])
def test_readiness_by_a_probe(load: LoadSettings, ring: Ring) -> None:
    """It reads once a first message is stored, and that one counts nowhere."""
    text = changed(('Path(os.environ["SENTINEL_READY"]).touch()', ""))
    kind = CAPACITY if load.count else LATENCY
    outcome = ring.of(ring.plan(kind, "mine", load), text, ready='"probe"').run()
    sent = outcome.sender["sent"]
    assert ([], sent, sent) == (outcome.problems, outcome.stored, outcome.wire["points"])


def test_a_contender_that_fails_its_verification_is_listed_and_not_timed(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trials are invalid with the first difference; UNVERIFIED=True times it; the others go on, through the tap."""
    item = contender(ring.folder / "mine")
    failed = [Check("values", "stream/json", kept=False, detail="zero: mem is 1.0, expected 0.0")]
    monkeypatch.setattr("sentinel.lab.contenders.contest.verify", lambda *_, **__: failed)
    for unverified in (False, True):
        contest = Contest(Benchmark(CONFIGURATIONS=f"optimised,mine@{item.folder}", UNVERIFIED=unverified))
        plan = ring.plan(CAPACITY, "mine", FULL)
        assert contest.is_due(plan)
        contest.verify("mine", ring.stack, ring.folder, ring.supervisor, lambda: None)
        assert not contest.is_due(plan)
        given = ring.stack, ring.folder / "trial", ring.supervisor, "run"
        trial = contest.trial(plan, *given, check=lambda: None)
        assert unverified == isinstance(trial, ContenderTrial)
        if isinstance(trial, NotTimed):
            (problem,) = trial.run().problems
            assert "mine failed its verification" in problem
            assert problem.endswith("zero: mem is 1.0, expected 0.0")
        assert not contest.is_due(ring.plan(CAPACITY, "optimised", FULL))
        assert TappedTrial is type(contest.trial(ring.plan(LATENCY, "optimised", PACED), *given, check=lambda: None))
        assert Trial is type(contest.trial(ring.plan(MEMORY, "optimised", FULL), *given, check=lambda: None))


def test_a_resumed_run_knows_what_was_verified(tmp_path: Path) -> None:
    """What the first session found out is not tried again, and stays refused; a contender that has changed ends it."""
    item = contender(tmp_path / "mine")
    p, plan = Benchmark(CONFIGURATIONS=f"optimised,mine@{item.folder}"), Plan(1, CAPACITY, "mine", "mine", FULL)
    first, second = Contest(p), Contest(p)
    first.described["mine"].verified = [Check("values", "stream/json", kept=False, detail="zero: mem is 1.0")]
    second.recall("x", first.described)
    assert (False, {"mine"}) == (second.is_due(plan), second.refused)
    assert set() == Contest(replace(p, UNVERIFIED=True)).refused
    first.described["mine"].version = "2.0"
    with pytest.raises(RunError, match=r"run x cannot be resumed: mine\.version was '2\.0', and is '"):
        Contest(p).recall("x", first.described)


def test_without_a_contender_there_is_no_tap(ring: Ring) -> None:
    """A run of our own configurations is as it was."""
    contest = Contest(Benchmark())
    given = ring.stack, ring.folder / "trial", ring.supervisor, "run"
    assert {} == contest.described
    assert Trial is type(contest.trial(ring.plan(LATENCY, "optimised", PACED), *given, check=lambda: None))


def test_the_tree_of_a_contender_is_read_as_one(ring: Ring) -> None:
    """Memory and CPU of its children count."""
    text = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'while True: pass'])\ntime.sleep(60)"
    log = ring.folder / "burner.log"
    child = ring.supervisor.start("burner", ["python3", "-c", text], log=log)
    tree = TreeProbe(child.pid)
    wait_until("its child burns", lambda: tree.look().cpu_seconds > 0.2, 20)
    assert tree.look().rss_bytes > 0
    child.stop()
    wait_until("none of it runs", lambda: tree.read() is None, 5)


def test_a_run_that_ends_in_mid_trial_leaves_nothing(ring: Ring) -> None:
    """Not even what ignores SIGTERM, in a session of its own."""
    deaf = "import signal, subprocess, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    text = deaf + TEMPLATE.replace("stopped = []", f"stopped = []{CHILD % True}").replace(HANDLER, "")
    item, ends = contender(ring.folder / "mine", text), time.monotonic() + 60

    def check() -> None:
        if (ring.folder / "trial" / "consumer" / "ready").exists() or time.monotonic() > ends:
            raise RunEndedError("the store has ended")

    trial = ContenderTrial(item, *ring._given(ring.plan(LATENCY, "mine", PACED)), check=check)
    with pytest.raises(RunEndedError):
        trial.run()
    assert [] == left_of(ring.folder / "mine")
