"""Loads that were recorded, in the lab: the parameter, the record, the page's words, and trials that hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.executions import ROOT
from support.recordings import MILLISECOND, message, recording
from support.records import changed, kept, record
from support.synthetic import made
from support.trials import assert_accounts_agree

from sentinel.errors import RecordingError, SettingsError
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.sweep import report as of_sweep
from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.notebook import runner
from sentinel.lab.parameters import from_words
from sentinel.lab.replay import words
from sentinel.lab.replay.recording import of
from sentinel.lab.report.heading import heading
from sentinel.lab.run.trial_record import CAPACITY, LATENCY
from sentinel.lab.trials import plans
from sentinel.lab.trials.kinds import load_words
from sentinel.lab.trials.trial import Trial

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of three hosts, 4 ms apart, one message of which nobody could read."""
    payloads = [message(host=f"web-{n % 3}", seq=n, fields={"load": n / 8}) for n in range(100)]
    offsets = [4 * MILLISECOND * n for n in range(101)]
    return recording(tmp_path_factory.mktemp("office") / "office.rec", [*payloads, b"foreign"], offsets)


def test_the_parameter_is_read_before_anything_starts(office: Path, tmp_path: Path) -> None:
    """A path that leads to a recording, or nothing; anything else says itself what is wrong."""
    rules = Benchmark.rules()
    assert {"REPLAY": str(office)} == from_words([f"REPLAY={office}"], rules)
    assert {"REPLAY": ""} == from_words(["REPLAY="], Sweep.rules())
    (tmp_path / "empty").touch()
    for name, problem in (("absent.rec", "No such file"), ("empty", "is empty"), (".", "is no file")):
        with pytest.raises(RecordingError, match=problem):
            from_words([f"REPLAY={tmp_path / name}"], rules)
    with pytest.raises(SettingsError, match=r"REPLAY='a\\x00' is not allowed: expected the path of a recording"):
        from_words(["REPLAY=a\0"], rules)


def test_messages_are_recorded_or_made_up(office: Path) -> None:
    """What tells of made-up messages is refused beside REPLAY, in one line with all of it; without REPLAY it is not."""
    given = {"FIELDS": 50, "LOOP": "bursts", "SOURCES": 9, "TAGS": 1}
    with pytest.raises(SettingsError, match=r"office.rec' with SOURCES=9, FIELDS=50, TAGS=1, LOOP=bursts: a recording"):
        Sweep(REPLAY=str(office), **given)
    for name, value in given.items():
        with pytest.raises(SettingsError, match=rf"with {name}={value}: a recording has its own .* leave either out$"):
            Benchmark(REPLAY=str(office), **{name: value})
    assert Benchmark(**given).FIELDS == Benchmark(REPLAY=str(office)).FIELDS * 25
    with pytest.raises(SettingsError, match="CODEC='binary' with FIELDS=50"):
        Benchmark(CODEC="binary", FIELDS=50)


def test_a_recording_is_played_at_its_own_rate_unless_another_is_given(office: Path) -> None:
    """RATE follows from REPLAY where nobody gave it; nothing follows where there is no recording, or no RATE."""
    given = {"REPLAY": str(office)}
    assert Benchmark.completed(given) == {"RATE": pytest.approx(250.0), **given}
    assert Benchmark.completed({"RATE": 99.0, **given}) == {"RATE": 99.0, **given}
    assert Sweep.completed(given) == given
    assert Benchmark.completed({"WORKERS": 3}) == {"WORKERS": 3}


def test_the_runner_completes_what_it_was_given(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sentinel run benchmark REPLAY=…` plays at the recording's own rate, and says so before anything starts."""

    def stop(_: Path, parameters: dict[str, object]) -> None:
        raise SettingsError(f"RATE={parameters['RATE']}")

    monkeypatch.setattr(runner, "_ensure_stack", stop)
    with pytest.raises(SettingsError, match=r"^RATE=250\.0"):
        runner.execute(ROOT / "notebooks" / "benchmark.ipynb", {"REPLAY": str(office)})
    with pytest.raises(RecordingError, match="No such file"):
        runner.execute(ROOT / "notebooks" / "sweep.ipynb", {"REPLAY": str(office.with_name("gone.rec"))})


def test_trials_are_told_of_the_recording(office: Path) -> None:
    """Every load of every kind plays it, under a path that holds wherever the generator starts."""
    p = Benchmark(REPLAY=str(office), MESSAGES=1000)
    planned = [*plans.capacity(p), *plans.memory(p), *plans.profile(p, {}), *plans.paced(p, p.names, 9.0, "g", 1)]
    assert {str(office)} == {plan.load.replay for plan in planned}
    assert ["--replay", str(office)] == load_words(planned[0], "k", office)[-2:]
    assert "--replay" not in load_words(plans.capacity(Benchmark())[0], "k", office)


def test_the_record_holds_what_was_played(office: Path, tmp_path: Path) -> None:
    """Name, checksum, length and counts are in run.json, and come back from it; of other runs nothing is."""
    played = of(str(office))
    assert played is not None
    assert ("office.rec", 100, 3, "json", {"json": 1}) == (
        played.name, played.messages, played.sources, played.codec, played.foreign
    )  # fmt: skip
    assert (64, pytest.approx(0.41), pytest.approx(250.0)) == (len(played.sha256), played.seconds, played.rate)
    data = record(recording=kept(_run(tmp_path, office))["recording"])
    assert played == data.recording
    assert "recording" not in record().to_dict()


def _run(folder: Path, office: Path, **parameters: object) -> object:
    run = made(folder, repeats=1)
    run.data.recording = of(str(office))
    run.data.parameters |= parameters
    return run


def test_the_page_says_what_was_played(office: Path, tmp_path: Path) -> None:
    """The head names file, length, checksum and rates; senders and codec are the recording's; other pages say none."""
    run = _run(tmp_path, office, RATE=250.0, HEADLINE_RATE=2500.0, DURATION=3.0)
    run.data.rates = {"latency": 50.0, "headline": 2500.0}
    text = heading(run).striptags()
    assert "from 3 recorded sources, json as recorded over" in text
    assert "office.rec, 0.410 s, 100 messages of" in text
    assert "2 numbers" not in text
    assert f"sha256 {of(str(office)).sha256}" in text  # type: ignore[union-attr]
    assert "kept out of play as a consumer would reject them: 1 json" in text
    assert "Its spacing (as recorded at 250 msg/s) is stretched or drawn together to each rate;" in text
    assert "4 s at 50 msg/s are 2.00 rounds of it and 2,500 msg/s are 100 rounds of it" in text
    bare = changed(run, recording=None)
    assert "" == words.described(bare.data)
    assert "worker" in words.senders(bare.data)
    assert "Recording" not in heading(bare).striptags()


def test_a_sweeps_page_says_so_too(office: Path, tmp_path: Path) -> None:
    """Its load is that of the recording's sources."""
    run = _run(tmp_path, office, RATES="100", FACTOR=2.0, DURATION=1.0, REPEATS=1, P99_STORED_MS=50.0)
    run.data.own = {}
    assert "from 3 recorded sources, json as recorded over" in of_sweep.load(run)


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_trials_of_a_recording_hold(
    own_stack: Stack, supervisor: Supervisor, office: Path, tmp_path: Path, transport: str
) -> None:
    """Every replayed message is sent, stored and counted, whether it is paced or fills a stream."""
    p = Benchmark(REPLAY=str(office), DURATION=1.0, MESSAGES=1000, TRANSPORT=transport, CONFIGURATIONS="optimised")
    kind = CAPACITY if transport == "stream" else LATENCY
    (plan,) = plans.paced(p, p.names, 250.0, "g", 1) if kind == LATENCY else plans.capacity(p)[:1]
    load = replace(plan.load, count=1000) if kind == CAPACITY else plan.load
    outcome = Trial(replace(plan, load=load), own_stack, tmp_path, supervisor, f"replay-{transport}").run()
    assert_accounts_agree(outcome, 1000 if kind == CAPACITY else 500)
