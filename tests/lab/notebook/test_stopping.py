"""Signals to whoever executes a notebook: the first interrupts its kernel, a second one ends everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sentinel.lab.notebook.stopping import Stopped, stoppable

if TYPE_CHECKING:
    from pathlib import Path

KERNEL = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nprint('ready', flush=True)\nsignal.pause()"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_the_kernel(tmp_path: Path, signum: int) -> None:
    """Ctrl-C, SIGTERM or a closed terminal: the kernel gets SIGINT, the exit code is kept, handlers are put back."""
    before = signal.getsignal(signum)
    with subprocess.Popen([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE, encoding="utf-8") as kernel:
        assert kernel.stdout is not None
        assert "ready\n" == kernel.stdout.readline()
        (tmp_path / "progress.json").write_text(json.dumps({"kernel": kernel.pid}), encoding="utf-8")
        with stoppable(tmp_path / "progress.json") as stopped:
            os.kill(os.getpid(), signum)
            assert -signal.SIGINT == kernel.wait(10)
            assert [128 + signum] == stopped
            with pytest.raises(Stopped):
                os.kill(os.getpid(), signum)
    assert before == signal.getsignal(signum)


def test_before_there_is_a_kernel_the_first_signal_ends_everything(tmp_path: Path) -> None:
    """Nothing was measured yet, so nothing is waited for."""
    with stoppable(tmp_path / "progress.json") as stopped, pytest.raises(Stopped):
        os.kill(os.getpid(), signal.SIGTERM)
    assert [143] == stopped
