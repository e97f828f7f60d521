"""CPU profiles for speedscope, by speedscope's own schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
from support import consumers
from support.profiles import with_profiles
from support.synthetic import made

from sentinel.errors import RunError
from sentinel.lab.exports.formats import export

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run

RUN = "main (sentinel/cli.py:9);Consumer.run (sentinel/consumer/consumer.py:90)"
FOLDED = f"""{RUN};Batcher.add (sentinel/consumer/batching.py:58) 40
{RUN};SocketStream.read (sentinel/bus/receiving/stream.py:7);recv_into 60
wait (threading.py:295) 900
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A made-up run with the folded stacks of two configurations."""
    run = with_profiles(made(tmp_path, repeats=1))
    run.profiles.mkdir(parents=True)
    for label in ("baseline", "optimised"):
        (run.profiles / f"{label}-cpu.folded").write_text(FOLDED)
    return run


@pytest.mark.timeout(180)
def test_speedscope_opens_every_profile(run: Run, tmp_path: Path) -> None:
    """A file a profile, valid by speedscope's schema: the samples at work in seconds, frames with file and line."""
    paths = export([run], "speedscope", tmp_path / "out")
    expected = [f"{run.id}-{label}.speedscope.json" for label in ("baseline", "optimised")]
    assert expected == [path.rpartition("/")[2] for path in paths]
    schema = json.loads(consumers.speedscope_schema().read_text(encoding="utf-8"))
    for path in paths:
        made_file = json.loads((tmp_path / "out" / path.rpartition("/")[2]).read_text(encoding="utf-8"))
        jsonschema.Draft7Validator({"$ref": "#/definitions/FileFormat.File", **schema}).validate(made_file)
        (profile,) = made_file["profiles"]
        frames = made_file["shared"]["frames"]
        assert (0.2 + 0.3, [0.2, 0.3]) == (pytest.approx(profile["endValue"]), profile["weights"])
        assert ["main", "Consumer.run", "Batcher.add"] == [frames[number]["name"] for number in profile["samples"][0]]
        assert {"name": "Batcher.add", "file": "sentinel/consumer/batching.py", "line": 58} in frames
        assert {"name": "recv_into"} in frames


def test_folded_stacks_are_as_they_were_sampled(run: Run, tmp_path: Path) -> None:
    """A file a profile, waiting threads and all; nothing that is there is overwritten."""
    paths = export([run], "folded", tmp_path / "out")
    assert {FOLDED} == {(tmp_path / path).read_text() for path in paths}
    with pytest.raises(RunError, match="exists already: remove it, or name another place with --output"):
        export([run], "folded", tmp_path / "out")


def test_a_run_without_profiles_says_why(run: Run, tmp_path: Path) -> None:
    """None was taken, or they do not lie beside the run, or one is damaged: one line."""
    (run.profiles / "baseline-cpu.folded").write_text("no stack\n")
    with pytest.raises(RunError, match=r"the CPU profile of baseline in run .* is damaged: not a folded stack"):
        export([run], "speedscope", tmp_path / "out")
    for path in run.profiles.iterdir():
        path.unlink()
    with pytest.raises(RunError, match=r"has no CPU profile: there are no folded stacks in .*profiles"):
        export([run], "speedscope", tmp_path / "out")
    run.data.unprofiled = "py-spy is not installed"
    with pytest.raises(RunError, match="has no CPU profile: py-spy is not installed"):
        export([run], "folded", tmp_path / "out")
