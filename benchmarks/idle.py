"""What the pipeline costs while nothing is sent: CPU of an idle consumer on both transports, and of the agent.

    python benchmarks/idle.py --stack native

All run beside each other with their defaults, the agent on a key of its own; after a warm-up their CPU is read over
windows of some seconds. Printed are the median, the smallest and the largest of the windows, % of a core.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from sentinel.environment import stack_environment
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.stack import KINDS, choose, start

PROGRAMS = {
    "consumer, Pub/Sub": ("consume", "--transport", "pubsub", "--key", "idle"),
    "consumer, stream": ("consume", "--transport", "stream", "--key", "idle"),
    "agent": ("agent", "--transport", "pubsub", "--key", "idle.agent"),
}
"""What is measured, by name: words behind `sentinel`."""
WARM_UP = 5.0
"""Seconds that are left out."""


def cpu_seconds(pid: int) -> float:
    """CPU of a process' threads, counted in ns by the scheduler where its clock ticks count in 10 ms."""
    paths = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text(encoding="ascii").split()[0]) for path in paths) / 1e9


def main() -> int:
    """Read the options, start all, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", choices=KINDS, default="auto")
    parser.add_argument("--windows", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a window")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Supervisor() as supervisor,
        start(choose(options.stack)[0], Path(folder), supervisor) as stack,
    ):
        around = stack_environment(stack.bus, stack.store)
        children = {
            name: supervisor.start(
                name, [sys.executable, "-m", "sentinel", *words], log=Path(folder) / "log", env=around
            )
            for name, words in PROGRAMS.items()
        }
        time.sleep(WARM_UP)
        shares: dict[str, list[float]] = {name: [] for name in children}
        for _ in tqdm(range(options.windows), unit="window"):
            before = {name: cpu_seconds(child.pid) for name, child in children.items()}
            began = time.monotonic()
            time.sleep(options.seconds)
            length = time.monotonic() - began
            for name, child in children.items():
                shares[name].append(100 * (cpu_seconds(child.pid) - before[name]) / length)
        print("| program | CPU, % of a core | smallest | largest |\n| --- | ---: | ---: | ---: |")
        for name, values in shares.items():
            print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
