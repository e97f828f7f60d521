"""Refs: what a name stands for in a real repository, and which code is copied of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.clones import commit, git, repository

from sentinel.errors import SettingsError
from sentinel.lab.experiments.regression import refs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository whose main has two commits, the first of them tagged."""
    folder = repository(tmp_path / "it's here")
    git(folder, "tag", "v1")
    (folder / "sentinel" / "__init__.py").write_text("WHO = 2\n")
    commit(folder, "Change who it is")
    return folder


def copied(ref: refs.Ref, folder: Path) -> dict[str, str]:
    """The files of a ref by name."""
    folder.mkdir()
    refs.copy(ref, folder)
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_branch_tag_and_commit_are_resolved(clone: Path, tmp_path: Path) -> None:
    """Each stands for its commit, with its subject, and is copied as it was committed, whatever the tree has now."""
    (clone / "sentinel" / "__init__.py").write_text("WHO = 3\n")
    main, tag = refs.resolve("main", clone), refs.resolve("v1", clone / "sentinel")
    assert ("Change who it is", "Begin") == (main.subject, tag.subject)
    assert main == refs.Ref("main", clone, git(clone, "rev-parse", "main"), "Change who it is")
    assert tag.commit == refs.resolve(tag.commit[:10], clone).commit
    assert "WHO = 2\n" == copied(main, tmp_path / "main")["sentinel/__init__.py"]
    assert "WHO = 1\n" == copied(tag, tmp_path / "tag")["sentinel/__init__.py"]


def test_a_point_is_the_working_tree(clone: Path, tmp_path: Path) -> None:
    """`.` is what is there, changed, new and without what was deleted; what git ignores and other files stay out."""
    assert () == refs.resolve(".", clone).changed
    (clone / "sentinel" / "__init__.py").write_text("WHO = 4\n")
    (clone / "sentinel" / "grün.py").write_text("")
    (clone / "sentinel" / "x.ignored").write_text("")
    (clone / "notes.md").write_text("")
    (clone / "constraints.txt").unlink()
    ref = refs.resolve(".", clone)
    assert {"constraints.txt", "sentinel/__init__.py", "sentinel/grün.py"} == set(ref.changed)
    assert ref.title.endswith(", changed)")
    files = copied(ref, tmp_path / "tree")
    assert {"pyproject.toml", "sentinel/__init__.py", "sentinel/__main__.py", "sentinel/grün.py"} == set(files)
    assert "WHO = 4\n" == files["sentinel/__init__.py"]


def test_a_name_that_stands_for_nothing_is_one_line(clone: Path, tmp_path: Path) -> None:
    """An unknown ref, one that only the origin has, a folder in no repository: each says so, and what to do."""
    with pytest.raises(SettingsError, match=r"'mian' is no branch, tag or commit of .*: `git fetch` brings"):
        refs.resolve("mian", clone)
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(clone), str(other))
    git(other, "checkout", "--quiet", "--detach")
    git(other, "branch", "--delete", "--force", "main")
    with pytest.raises(SettingsError, match=r"'main' is no branch, tag or commit of .*: origin/main is there"):
        refs.resolve("main", other)
    with pytest.raises(SettingsError, match="is in no git repository: commits are compared, so start it in a clone"):
        refs.resolve("main", tmp_path)


def test_a_repository_of_something_else_is_refused(tmp_path: Path) -> None:
    """Without a package of ours there is nothing to install."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "readme").write_text("")
    commit(tmp_path, "Begin")
    with pytest.raises(SettingsError, match=r"HEAD \(\w{12}\) has no sentinel/__main__.py"):
        copied(refs.resolve("HEAD", tmp_path), tmp_path / "copy")
