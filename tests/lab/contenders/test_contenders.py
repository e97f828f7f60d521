"""Contenders: what their file may say, where they are found, and every mistake in one line before anything starts."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from support.contending import CONTENDERS, TOML, contender, written
from support.servers import wait_until

from sentinel.errors import ContenderError
from sentinel.lab.contenders import catalog, entry, program, record
from sentinel.lab.contenders.contender import PROMISES, load
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.notebook.variables import check
from sentinel.lab.parameters import converted
from sentinel.lab.trials import plans
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commandline import Result


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an empty `contenders/`, in which this process is."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "contenders").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chosen(configurations: str) -> Benchmark:
    """The parameters of a benchmark of these."""
    return check({"CONFIGURATIONS": configurations}, Benchmark)


@pytest.mark.parametrize("name", ["template", "asyncio", "threads", "benthos"])
def test_the_files_in_the_repository_make_sense(name: str) -> None:
    """Each contender there is read, under the name of its folder."""
    assert name == load(CONTENDERS / name).name


BAD = {
    "unreadable": ("name = ", "cannot be read: Invalid value"),
    "no text": ("\udcff", "cannot be read: "),
    "unknown key": ('comand = "x"', "'comand' is no key of a contender: there are name, command,"),
    "no name": (dict(TOML, name=None), "missing required field `name`"),
    "odd name": (dict(TOML, name='"a,b"'), "matching regex"),
    "command is a text": (dict(TOML, command='"./consume"'), "Expected `array`, got `str` - at `$.command`"),
    "no command": (dict(TOML, command="[]"), "Expected `array` of length >= 1 - at `$.command`"),
    "speaks what nobody does": (
        dict(TOML, speaks='["kafka/json"]'),
        "speaks = 'kafka/json' is unknown: expected some of",
    ),
    "speaks nothing": (dict(TOML, speaks="[]"), "at `$.speaks`"),
    "ready by magic": (dict(TOML, ready='"soon"'), "ready = 'soon' is unknown: expected file, log:REGEX or probe"),
    "ready by no line": (dict(TOML, ready='"log:"'), "expected file, log:REGEX or probe"),
    "ready by a broken line": (dict(TOML, ready='"log:(["'), "in the regular expression"),
    "no grace": (dict(TOML, grace="0"), "Expected `float` > 0.0 - at `$.grace`"),
    "relaxes what nobody promised": (dict(TOML, relaxes='["is slow"]'), "relaxes = 'is slow' is no promise: expected"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_makes_no_sense_is_one_line(what: str, tmp_path: Path) -> None:
    """The message names the file, what it says, and what was expected."""
    text, message = BAD[what]
    toml = text if isinstance(text, str) else "\n".join(f"{key} = {value}" for key, value in text.items() if value)
    folder = written(tmp_path / "mine", "name = 1")
    (folder / "contender.toml").write_bytes(toml.encode(errors="surrogateescape"))
    with pytest.raises(ContenderError) as caught:
        load(folder)
    assert str(caught.value).startswith(str(folder / "contender.toml"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_promises_are_relaxed_in_words_that_are_checked(tmp_path: Path) -> None:
    """Each promise has its words, and an explanation may follow."""
    words = json.dumps([f"{phrase}: since so it is" for phrase in PROMISES.values()])
    assert PROMISES.keys() == contender(tmp_path / "mine", relaxes=words).relaxed.keys()


def test_a_program_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """In the folder or on PATH; where there is a build, that is asked about."""
    for command, message in (
        ('["./consume"]', "is not there or may not be run; install it or correct 'command'"),
        ('["no-such-program"]', "no-such-program is not on PATH; install it"),
    ):
        with pytest.raises(ContenderError, match=message):
            program.build(contender(tmp_path / "mine", command=command))
    with pytest.raises(ContenderError, match=r"does `build` make it\?"):
        program.build(contender(tmp_path / "mine", command='["./consume"]', build='["python", "-V"]'))


def test_a_build_runs_before_anything_and_its_failure_is_one_line(tmp_path: Path) -> None:
    """Its log is kept in the folder."""
    made = contender(
        tmp_path / "mine",
        command='["./made.sh"]',
        build='["sh", "-c", "echo building; touch made.sh; chmod +x made.sh"]',
    )
    program.build(made)
    assert "building\n" == (made.folder / program.BUILD_LOG).read_text()
    for build, message in (
        ('["python", "-c", "raise SystemExit(3)"]', "its build ended with exit code 3; its log is"),
        ('["no-such-compiler"]', "build = .'no-such-compiler'.: no-such-compiler is not on PATH"),
    ):
        with pytest.raises(ContenderError, match=message):
            program.build(contender(tmp_path / "mine", build=build))
    with pytest.raises(ContenderError, match="install it or correct 'build'"):
        program.build(contender(tmp_path / "mine", build='["no-such-compiler"]'))


SLOW = '["sh", "-c", "echo begun; sleep 300 & echo $! > child; wait"]'


@pytest.mark.parametrize("key", ["build", "version"])
def test_what_takes_too_long_before_a_run_is_ended_with_its_children(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build is one line then, a version unknown; neither can ask a terminal, and nothing of them is left."""
    monkeypatch.setattr(program, f"{key.upper()}_LIMIT", 0.5)
    item = contender(tmp_path / "mine", **{key: SLOW})
    if key == "build":
        with pytest.raises(ContenderError, match=r"its build failed: it took longer than 0\.5 s; its log is"):
            program.build(item)
    else:
        assert "unknown: it took longer than 0.5 s" == program.version(item)
    child = int((item.folder / "child").read_text())
    running = {psutil.STATUS_RUNNING, psutil.STATUS_SLEEPING}
    wait_until("its child is gone", lambda: _status(child) not in running, 5)


def _status(pid: int) -> str:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status()
    return psutil.STATUS_DEAD


def test_a_version_is_the_first_line_that_it_prints(tmp_path: Path) -> None:
    """Of its output; of its errors where there is no other; silence is said."""
    for text, expected in (
        ("echo note >&2; echo 1.0; echo more", "1.0"), ("echo 2.0 >&2", "2.0"), ("true", "unknown: it said nothing"),
    ):  # fmt: skip
        assert expected == program.version(contender(tmp_path / "mine", version=f'["sh", "-c", "{text}"]'))


def test_a_contender_is_named_like_a_configuration(checkout: Path) -> None:
    """By its name under contenders/, or by a path; the record keeps both, and the columns have its name."""
    contender(checkout / "contenders" / "mine")
    contender(checkout / "elsewhere", name='"other"')
    for word in ("mine", "contenders/mine", str(checkout / "contenders" / "mine"), "mine@contenders/mine"):
        assert "optimised,mine@contenders/mine" == chosen(f"optimised, {word}").CONFIGURATIONS
    assert ["optimised", "other"] == chosen("optimised,./elsewhere").names
    assert ["other"] == check({"CONFIGURATIONS": "elsewhere/"}, Sweep).names
    contender(checkout / "me@work", name='"third"')
    assert "third@me@work" == chosen("./me@work").CONFIGURATIONS == chosen("third@me@work").CONFIGURATIONS
    assert ["third"] == list(entry.contenders(chosen(str(checkout / "me@work"))))
    assert ["mine"] == list(entry.contenders(chosen("optimised,mine")))


def test_columns_are_known_without_the_contender(checkout: Path) -> None:
    """A record is read where its contender is gone."""
    folder = contender(checkout / "contenders" / "mine").folder
    recorded = chosen("baseline,mine")
    (folder / "contender.toml").unlink()
    assert ["baseline", "mine"] == Benchmark(CONFIGURATIONS=recorded.CONFIGURATIONS).names
    assert catalog.axes("mine").keys() == catalog.axes("baseline").keys()


def test_what_is_neither_is_refused_before_anything_starts(
    checkout: Path, sentinel: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong word, a folder without a file, a name that is taken, twice the same: each is one line."""
    contender(checkout / "contenders" / "mine")
    contender(checkout / "contenders" / "again")
    contender(checkout / "contenders" / "fast", name='"optimised"')
    monkeypatch.chdir(CONTENDERS.parent)
    for word, message in (
        ("fastest", "CONFIGURATIONS='optimised,fastest' is not allowed"),
        (f"{checkout}/nowhere", "is no contender: it has no contender.toml"),
        (f"{checkout}/contenders/fast", "is a configuration of the lab: choose another name"),
        (f"{checkout}/contenders/mine,{checkout}/contenders/again", "is not allowed: expected different names"),
    ):
        result = sentinel("run", "benchmark", f"CONFIGURATIONS=optimised,{word}")
        assert 1 == result.code
        assert message in result.err
        assert 1 == len(result.err.strip().splitlines())


def test_what_is_to_be_verified_is_refused_likewise(checkout: Path) -> None:
    """A name that is none, with those that there are, and one that is taken; a path without a slash is a path."""
    contender(checkout / "contenders" / "there")
    contender(checkout / "elsewhere", name='"elsewhere"')
    contender(checkout / "taken", name='"optimised"')
    assert "elsewhere" == catalog.named("elsewhere").name
    with pytest.raises(ContenderError, match=r"'typo' is no contender: expected .* or a name in contenders/: there$"):
        catalog.named("typo")
    with pytest.raises(ContenderError, match="name = 'optimised' is a configuration of the lab"):
        catalog.named("taken")


def test_what_it_does_not_speak_is_refused_before_anything_starts(checkout: Path) -> None:
    """Capacities are drained from a stream; latencies over what was asked for."""
    contender(checkout / "contenders" / "mine")
    entry.require(chosen("mine"))
    for change in ({"TRANSPORT": "pubsub"}, {"CODEC": "binary"}):
        told = check({"CONFIGURATIONS": "mine", **change}, Benchmark)
        with pytest.raises(ContenderError, match=r"contender mine speaks stream/json, and TRANSPORT="):
            entry.require(told)


def test_tags_are_refused_beside_a_contender(checkout: Path) -> None:
    """Its contract knows none; ours take them."""
    contender(checkout / "contenders" / "mine")
    with pytest.raises(ContenderError, match=r"^TAGS=2: mine knows no tags .*: expected TAGS=0$"):
        entry.require(check({"CONFIGURATIONS": "optimised,mine", "TAGS": 2}, Benchmark))
    entry.require(check({"CONFIGURATIONS": "optimised", "TAGS": 2}, Benchmark))


def test_only_ours_are_looked_into(checkout: Path) -> None:
    """memray and py-spy get no trial of a contender, everything else does."""
    contender(checkout / "contenders" / "mine")
    p = chosen("optimised,mine")
    assert {"optimised"} == {plan.configuration for plan in [*plans.memory(p), *plans.profile(p, {})]}
    assert {"optimised", "mine"} == {plan.configuration for plan in plans.capacity(p)}
    assert p.MESSAGES == next(plan.load.count for plan in plans.capacity(p) if plan.configuration == "mine")


def test_unverified_is_a_parameter_of_notebooks_that_take_contenders() -> None:
    """It is read like the other switches."""
    for parameters in (Benchmark, Sweep):
        assert {"UNVERIFIED": True} == converted({"UNVERIFIED": "True"}, parameters.rules())


def interval(**more: Any) -> dict[str, Any]:
    """A line of a contender's intervals.jsonl."""
    recorder = Recorder()
    recorder.record([1000, 2000, 0])
    return {"at": 1_795_000_000 * 10**9, "internal": recorder.to_dict(), "e2e": recorder.to_dict()} | more


@pytest.mark.parametrize(
    "line", [interval(at="soon"), interval(e2e=[1, 2]), interval(internal={"5": -1}), [], {"internal": {}}]
)
def test_a_record_that_breaks_the_schema_is_put_aside(line: Any, tmp_path: Path) -> None:
    """A dash stands where its latencies would be, and a warning says why."""
    (tmp_path / "intervals.jsonl").write_text(json.dumps(interval()) + "\n" + json.dumps(line) + "\n")
    (warning,) = record.put_aside(tmp_path)
    assert "intervals.jsonl does not keep the schema" in warning
    assert not (tmp_path / "intervals.jsonl").exists()


def test_the_schema_in_the_documentation_is_that_of_the_code() -> None:
    """Who keeps a record can check it against the very schema that the lab reads it by."""
    path = CONTENDERS.parent / "docs" / "contender-record.schema.json"
    assert record.schema() == json.loads(path.read_text(encoding="utf-8"))


def test_a_record_that_keeps_the_schema_stays(tmp_path: Path) -> None:
    """Its latencies are used."""
    (tmp_path / "intervals.jsonl").write_text(json.dumps(interval()) + "\n")
    (tmp_path / "ledger.json").write_text('{"ledger": {"received": 3, "written": 3}}')
    assert [] == record.put_aside(tmp_path)
    assert (tmp_path / "intervals.jsonl").exists()
