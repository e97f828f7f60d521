"""The files around the code: packaging, conda environment, Makefile, CI, licence and pages."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def name_of(requirement: str) -> str:
    """The package's name in its normal form."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def test_conda_environment_installs_the_project_with_its_extras() -> None:
    """environment.yml adds nothing to pyproject's dependencies: it takes Python, pip, and the project itself."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    *plain, pip = conda["dependencies"]
    assert [f"python{PROJECT['requires-python']}", "pip"] == plain
    assert ["-c constraints.txt", f"-e .[{','.join(EXTRAS)}]"] == pip["pip"]


def test_every_dependency_is_pinned() -> None:
    """constraints.txt pins every requirement of pyproject, and names no address."""
    text = (ROOT / "constraints.txt").read_text()
    pinned = {name_of(line) for line in text.splitlines() if "==" in line}
    wanted = {name_of(r) for r in [*PROJECT["dependencies"], *EXTRAS["lab"], *EXTRAS["dev"]]}
    assert set() == wanted - pinned
    assert "://" not in text


def test_design_card_packages_are_dependencies() -> None:
    """The packages that the project was asked to be built on are all there."""
    card = {"jupyterlab", "papermill", "redis", "psutil", "influxdb-client", "pandas", "matplotlib", "memray"}
    assert card <= {name_of(r) for r in [*PROJECT["dependencies"], *EXTRAS["lab"]]}


def make(*words: str) -> str:
    """What `make -n` would do."""
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout


def test_bare_make_prints_help() -> None:
    """`make` alone explains the targets and starts nothing."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20)
    for target in ("benchmark", "test", "check", "lab"):
        assert re.search(rf"^  {target} ", done.stdout, re.MULTILINE)


def test_make_passes_parameters_on() -> None:
    """Variables given to `make benchmark` reach the notebook, and only those."""
    line = next(
        line for line in make("benchmark", "WORKERS=128", "DURATION=120s").splitlines() if "sentinel run" in line
    )
    assert {"WORKERS=128", "DURATION=120s"} == set(line.split("run benchmark")[1].split())


def test_ci_calls_only_make() -> None:
    """CI has no logic of its own beyond installing servers: what it runs, anyone can run."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert ["make check", "make test"] == [line for line in lines if line.startswith("make")][:2]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "runs/README.md", "profiles/README.md"]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """Every relative link and picture of a page exists."""
    text = (ROOT / page).read_text()
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(r'(?:src|href)="(?!https?:|#)([^"#]+)"', text)
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert [] == missing


def test_readme_says_what_it_is_not() -> None:
    """A reader who looks for Redis Sentinel learns at once that this is something else."""
    assert "Redis Sentinel" in (ROOT / "README.md").read_text()
