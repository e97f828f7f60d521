"""The files around the code: packaging, conda environment, Makefile, CI, licence and pages."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
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


def test_conda_environment_is_what_conda_and_pip_take() -> None:
    """environment.yml asks conda-forge alone for Python and pip, and pip for the versions that `make` installs."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert {"name", "channels", "dependencies"} == set(conda)
    assert ["conda-forge", "nodefaults"] == conda["channels"]
    *plain, pip = conda["dependencies"]
    assert all(isinstance(line, str) for line in plain)
    assert {"pip"} == set(pip)
    named = {re.split(r"[<>=!~\[ ]", line)[0] for line in plain}
    assert {"python", "pip"} == named  # both exist on conda-forge; whatever is added must be looked up there
    assert (ROOT / pip["pip"][0].removeprefix("-c ")).is_file()
    assert set(EXTRAS) == set(pip["pip"][1].partition("[")[2].rstrip("]").split(","))


def test_conda_is_said_to_be_untried() -> None:
    """README and environment.yml name the same command, and README does not claim more than was tried."""
    command = "conda env create -f environment.yml"
    assert f"With conda (untried so far): `{command}`" in (ROOT / "README.md").read_text()
    assert command in (ROOT / "environment.yml").read_text()


def audit_judge() -> Callable[[Any, str], tuple[int, str]]:
    """`judge` of .ci/audit.py."""
    return runpy.run_path(str(ROOT / ".ci" / "audit.py"))["judge"]  # type: ignore[no-any-return]


SOUND = {"name": "a", "version": "1", "vulns": []}
BROKEN = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SOUND, SOUND], 0, "2 packages looked up, no vulnerability known"),
        ([SOUND, BROKEN], 1, "KNOWN: b 2: CVE-1\nKNOWN: b 2: CVE-2"),
        ([SOUND, SKIPPED], 2, "NOT AUDITED: 1 of 2 packages, the first: Dependency not found on PyPI"),
        ([BROKEN, SKIPPED], 1, "NOT AUDITED: 1 of 2"),
        ([], 2, "NOT AUDITED: 0 of 0 packages"),
    ],
)
def test_an_audit_passes_only_where_every_package_was_looked_up(
    packages: list[dict[str, Any]], code: int, words: str
) -> None:
    """What pip-audit skipped is not called sound, though pip-audit itself exits 0 then."""
    actual, text = audit_judge()({"dependencies": packages}, "")
    assert code == actual
    assert words in text
    assert ("NOT AUDITED" in text) == (SKIPPED in packages or not packages)


def test_an_audit_without_a_report_says_why() -> None:
    """A database that cannot be reached is named at the end of pip-audit's output, and is no pass."""
    assert audit_judge()(None, "Traceback\nConnectionError: no route\n") == (
        2,
        "NOT AUDITED: pip-audit came to no result: ConnectionError: no route",
    )


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What make does with these words, none of them of a make that runs these tests."""
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(
        command, cwd=ROOT, env=env | variables, capture_output=True, encoding="utf-8", timeout=20, check=False
    )


def test_bare_make_prints_help() -> None:
    """`make` alone explains the targets and starts nothing."""
    done = make()
    assert 0 == done.returncode
    for target in ("benchmark", "test", "check", "audit", "lab"):
        assert re.search(rf"^  {target} ", done.stdout, re.MULTILINE)


PROGRAM = """#!{python}
import json, os, sys
json.dump({{"words": sys.argv[1:], "value": os.environ.get("CONFIGURATIONS")}}, sys.stdout)
sys.exit(7)
"""
NASTY = [
    "baseline,optimised;decode=json.loads",
    "json|cat",
    "0;echo X",
    "a  b ",
    'it\'s "quoted"',
    "$(shell echo expanded)$$x$HOME`id`${PATH}",
    "a\\ b\\",
    "* ? [a] ~ # % & < > ( ) ! é",
    "x WORKERS=5",
    "A=1",
    "",
]


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment whose programs say what they were given, and fail."""
    made = tmp_path / "it's an environment"
    (made / "bin").mkdir(parents=True)
    for name in ("sentinel", "python"):
        (made / "bin" / name).write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
        (made / "bin" / name).chmod(0o755)
    return made


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.parametrize("target", sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_a_parameter_reaches_the_program_as_it_was_given(target: str, value: str, venv: Path) -> None:
    """Neither make nor a shell reads anything into a value, in words or environment, and a failure stays one."""
    done = make("-o", "install", target, f"VENV={venv}", f"CONFIGURATIONS={value}", "WORKERS=3")
    assert 2 == done.returncode
    assert "Error 7" in done.stderr
    words = ["run", target, f"CONFIGURATIONS={value}", "WORKERS=3"]
    assert {"words": words, "value": value} == json.loads(done.stdout)


@pytest.mark.parametrize("value", [value for value in NASTY if value])
def test_the_other_targets_quote_too(value: str, venv: Path) -> None:
    """STACK of limits, RUN of example, and PYTHON and VENV of install are single words, whatever they hold."""
    given = make("-o", "install", "limits", f"VENV={venv}", f"STACK={value}")
    assert ["limits", "--stack", value] == json.loads(given.stdout)["words"]
    given = make("-o", "install", "example", f"VENV={venv}", f"RUN={value}")
    assert ["-m", "sentinel.lab.readme_example", value] == json.loads(given.stdout)["words"]
    line = make("-n", "install", f"PYTHON={value}", f"VENV={value}").stdout
    assert ["sh", "./install.sh", value, value] == shlex.split(line)


def test_what_stands_in_front_of_make_is_no_word(venv: Path) -> None:
    """`WORKERS=3 make benchmark` reaches the program in its environment alone; `limits` takes STACK from there."""
    assert ["run", "benchmark"] == json.loads(make("-o", "install", "benchmark", f"VENV={venv}", WORKERS="3").stdout)[
        "words"
    ]
    given = make("-o", "install", "limits", f"VENV={venv}", STACK="native")
    assert ["limits", "--stack", "native"] == json.loads(given.stdout)["words"]


@pytest.mark.parametrize(
    ("words", "expected_text"),
    [
        (["benchmark", "WORKERS=1\n2"], "WORKERS holds a line break: give it in one line"),
        (["limits", "WORKERS=3"], "make limits takes STACK=…"),
        (["bench-check", "WORKERS=3"], "make bench-check takes no parameters"),
    ],
)
def test_what_cannot_be_passed_on_is_refused(words: list[str], expected_text: str, venv: Path) -> None:
    """A line break, and a parameter of a target that has none, end make before anything runs."""
    done = make("-o", "install", *words, f"VENV={venv}")
    assert (2, "") == (done.returncode, done.stdout)
    assert expected_text in done.stderr


def test_ci_calls_only_make() -> None:
    """CI has no logic of its own beyond installing servers: what it runs, anyone can run."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert ["make check", "make test"] == [line for line in lines if line.startswith("make")][:2]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "runs/README.md", "profiles/README.md"]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """Every relative link and picture of a page exists."""
    text = (ROOT / page).read_text()
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(r'(?:src|href)="(?!https?:|#)([^"#]+)"', text)
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert [] == missing


def test_readme_comes_to_the_point() -> None:
    """For whom, what one gets, a picture of it, and the first command, within 150 words."""
    opening, _, rest = (ROOT / "README.md").read_text().partition("make benchmark")
    assert len(opening.split()) < 150
    assert "For engineers" in opening
    assert "You get" in opening
    assert "docs/report.png" in opening
    assert "minutes" in rest.splitlines()[0]


def test_readme_says_what_it_is_not() -> None:
    """A reader who looks for Redis Sentinel learns at once that this is something else."""
    assert "Redis Sentinel" in (ROOT / "README.md").read_text()
