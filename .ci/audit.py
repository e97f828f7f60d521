"""`make audit`: the pinned packages looked up among the known vulnerabilities, by pip-audit.

pip-audit says "no known vulnerabilities" and exits 0 also where an index answered for none of the packages, as mirrors
do. So its report is read here: only a package that was looked up counts. Exit codes: 0 all looked up and none known,
1 some known, 2 not, or not all, looked up.
"""  # noqa: INP001 - a script

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
SERVICES = ("pypi", "osv")
"""Databases, in the order in which they are asked until one answers for every package."""


def judge(report: dict[str, Any] | None, output: str) -> tuple[int, str]:
    """Exit code and words for pip-audit's JSON report (None: it made none) and what it printed."""
    if report is None:
        words = output.strip().splitlines() or ["it printed nothing"]
        return 2, f"NOT AUDITED: pip-audit came to no result: {words[-1][:300]}"
    packages = report["dependencies"]
    known = [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p.get("vulns", [])]
    skipped = [p for p in packages if "skip_reason" in p]
    lines = [f"KNOWN: {line}" for line in known]
    if skipped or not packages:
        why = skipped[0]["skip_reason"] if skipped else "there were none to look up"
        lines.append(f"NOT AUDITED: {len(skipped)} of {len(packages)} packages, the first: {why}")
    if not lines:
        lines.append(f"{len(packages)} packages looked up, no vulnerability known")
    return 1 if known else 2 if skipped or not packages else 0, "\n".join(lines)


def audit(service: str) -> tuple[int, str]:
    """Exit code and words of one database."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.json"
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--output", str(file)]
        command = [sys.executable, "-m", "pip_audit", "-r", str(CONSTRAINTS), "-s", service, *options]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
        return judge(json.loads(file.read_text(encoding="utf-8")) if file.exists() else None, done.stderr)


def main() -> int:
    """Ask the databases; the first that knows all packages, or something against one, has the say."""
    code = 2
    for service in SERVICES:
        code, words = audit(service)
        print(f"{service}: {words}", file=sys.stderr if code else sys.stdout)
        if code != 2:
            break
    if code == 2:
        print("no database answered for every package: this audit did not pass, and did not fail", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
