"""Refs as installed packages: real environments, made by uv out of small repositories."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.clones import ALL, repository

from sentinel.environment import cache_folder
from sentinel.errors import SettingsError
from sentinel.lab.experiments.regression import installed
from sentinel.lab.experiments.regression.installed import Installed, install

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own; uv's, which holds what is installed, stays where it is."""
    monkeypatch.setenv("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sentinelstream-lab" / "refs"


def made(folder: Path, name: str = "main", notes: list[str] | None = None) -> Installed:
    """A ref, installed without memray; what it says goes to `notes`."""
    return install(name, folder, weighed=False, note=(notes if notes is not None else []).append)


def test_a_ref_is_installed_once_for_the_same_code(tmp_path: Path, cache: Path) -> None:
    """Its own interpreter imports its own package, and says where; equal code is not installed again, other code is."""
    folder, notes = repository(tmp_path / "here"), list[str]()
    base, head = made(folder, notes=notes), made(folder, ".", notes)
    assert (base.folder, 1) == (head.folder, len(notes))
    assert ("main", ".", "Begin") == (base.side.ref, head.side.ref, head.side.subject)
    assert Path(base.side.module).is_relative_to(base.folder / "env")
    (folder / "sentinel" / "__init__.py").write_text("WHO = 2\n")
    changed = made(folder, ".", notes)
    assert ["sentinel/__init__.py"] == changed.side.changed
    assert changed.folder != base.folder
    assert {base.folder.name, changed.folder.name} == {path.parent.name for path in cache.glob("*/ready")}


def test_an_unfinished_installation_is_made_anew(tmp_path: Path) -> None:
    """What was interrupted, and so is without its mark, is not taken for whole."""
    folder, notes = repository(tmp_path / "here"), list[str]()
    first = made(folder, notes=notes)
    (first.folder / "ready").unlink()
    Path(first.side.module).unlink()
    assert first.side.module == made(folder, notes=notes).side.module
    assert 2 == len(notes)


def test_a_consumer_of_other_options_is_refused(tmp_path: Path) -> None:
    """The option that is missing is named; without any `consume` that is said."""
    folder = repository(tmp_path / "old", ALL.replace("--health ", ""))
    with pytest.raises(SettingsError, match=r"`sentinel consume` of main \(\w{12}\) has no --health, which every"):
        made(folder)
    folder = repository(tmp_path / "older")
    (folder / "sentinel" / "__main__.py").write_text("import sys; sys.exit('no such command')\n")
    with pytest.raises(SettingsError, match=r"\. \(\w{12}, changed\) has no `sentinel consume`: no such command"):
        made(folder, ".")


def test_an_installation_that_fails_is_one_line(tmp_path: Path) -> None:
    """The reason and the log are named; nothing is taken for installed."""
    folder = repository(tmp_path / "here")
    (folder / "pyproject.toml").write_text("[project]\nname = 'sentinelstream-lab'\n")
    with pytest.raises(SettingsError, match=r"cannot be installed: .*; the log is .*/install.log$") as caught:
        made(folder, ".")
    log = Path(str(caught.value).rpartition("; the log is ")[2])
    assert "pip install" in log.read_text(encoding="utf-8")
    assert not (log.parent / "ready").exists()


def test_without_uv_nothing_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where it was looked for, and how to get it."""
    folder = repository(tmp_path / "here")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SettingsError, match=r"uv is neither beside .* nor on PATH: pip install uv"):
        made(folder)


def test_a_ref_without_memray_says_so(tmp_path: Path) -> None:
    """Its memory is left out with a reason, and everything else goes on."""
    side = install("main", repository(tmp_path / "here"), weighed=True, note=lambda _: None).side
    assert f"{installed.MEMRAY_CONSUMER} of main" in side.unweighed
    assert "does not run" in side.unweighed


def test_few_installations_are_kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were not used for longest go, and their folders with them."""
    monkeypatch.setattr(installed, "KEPT", 1)
    folder = repository(tmp_path / "here")
    first = made(folder)
    (folder / "sentinel" / "__init__.py").write_text("WHO = 2\n")
    second = made(folder, ".")
    assert (False, True) == (first.folder.exists(), second.folder.exists())


def test_the_cache_lies_where_the_environment_says() -> None:
    """Under XDG_CACHE_HOME; where that is unset or relative, as its specification has it, under ~/.cache."""
    usual = Path.home() / ".cache" / "sentinelstream-lab"
    assert Path("/x/sentinelstream-lab") == cache_folder({"XDG_CACHE_HOME": "/x"})
    assert [usual, usual] == [cache_folder({}), cache_folder({"XDG_CACHE_HOME": "here"})]
