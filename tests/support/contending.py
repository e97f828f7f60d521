"""Contenders for tests: the template, and variants of it that break one promise each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.lab.contenders.contender import FILE, load

if TYPE_CHECKING:
    from sentinel.lab.contenders.contender import Contender

CONTENDERS = Path(__file__).parents[2] / "contenders"
TEMPLATE = (CONTENDERS / "template" / "consume.py").read_text(encoding="utf-8")
TOML = {"name": '"mine"', "command": '["python", "consume.py"]', "speaks": '["stream/json"]', "grace": "2"}


def written(folder: Path, toml: str, program: str = TEMPLATE) -> Path:
    """A contender's folder with its two files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(toml, encoding="utf-8")
    (folder / "consume.py").write_text(program, encoding="utf-8")
    return folder


def contender(folder: Path, program: str = TEMPLATE, **keys: str) -> Contender:
    """A contender in this folder; `keys` are of its file, each in TOML's words."""
    toml = "\n".join(f"{key} = {value}" for key, value in (TOML | keys).items())
    return load(written(folder, toml, program))


def changed(*changes: tuple[str, str]) -> str:
    """The template with this changed."""
    program = TEMPLATE
    for old, new in changes:
        assert old in program, f"the template has no {old!r}"
        program = program.replace(old, new)
    return program


OURS = """import os, sys
options = {"transport": "TRANSPORT", "key": "KEY", "name": "CONSUMER", "run": "RUN", "batch-size": "BATCH_SIZE"}
words = [word for name, there in options.items() for word in (f"--{name}", os.environ[f"SENTINEL_{there}"])]
record = os.environ["SENTINEL_RECORD"]  # its file `ready` is SENTINEL_READY
words += ["--record", record, "--health", "off", "--configuration", CONFIGURATION]
os.execv(sys.executable, [sys.executable, "-m", "sentinel", "consume", *words])
"""
"""Our own consumer as a contender."""

STORE = '        store(fields[b"d"] for _, fields in entries)\n'
ACKNOWLEDGE = "        bus.xack(key, group, *(number for number, _ in entries))\n"
HANDLER = "signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))"
LINES = '"".join(map(line, payloads))'


def past_the_tap(store: str) -> str:
    """The template, writing to this URL of the store whatever it is told."""
    told = 'os.environ["SENTINEL_WRITE_URL"]'
    return changed((told, f'{told}.replace(os.environ["INFLUX_URL"].rstrip("/"), {store.rstrip("/")!r})'))


BROKEN = {
    "drops every 1000th message": (
        "complete",
        changed(
            ("import json\n", "import itertools\nimport json\n"),
            ("stopped = []", "stopped, counted = [], itertools.count(1)"),
            (LINES, '"".join(line(payload) for payload in payloads if next(counted) % 1000)'),
        ),
    ),
    "stores each message twice, under another series": (
        "once",
        changed((LINES, '"".join(s + s.replace("system_stats", "system_stats,copy=1") for s in map(line, payloads))')),
    ),
    "stores each message twice, under another run": (
        "once",
        changed((LINES, '"".join(s + s.replace(run, "other") for s in map(line, payloads))')),
    ),
    "rounds values": ("values", changed(('m["cpu_usage"]', 'round(m["cpu_usage"], 2)'))),
    "stamps whole seconds": (
        "values",
        changed(("int(m.get('send_time_unix_nano') or ", "int(")),
    ),
    "acknowledges before storing": ("redelivery", changed((STORE + ACKNOWLEDGE, ACKNOWLEDGE + STORE))),
    "never looks at what it left": ("redelivery", changed(('start = "0"', 'start = ">"'))),
    "stops at a message that is no JSON": (
        "poison",
        changed(("contextlib.suppress(ValueError, ", "contextlib.suppress(")),
    ),
    "dies of SIGTERM": ("stop", changed((HANDLER, ""))),
    "ignores SIGTERM": ("grace", changed((HANDLER, "signal.signal(signal.SIGTERM, signal.SIG_IGN)"))),
    "is never ready": ("ready", changed(('Path(os.environ["SENTINEL_READY"]).touch()\n', ""))),
    "ends at once": ("ready", "raise SystemExit('no such setting')"),
}
"""What is wrong with it: the promise that it breaks, and its program."""
