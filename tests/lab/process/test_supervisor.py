"""No process outlives the lab: real parents, real children, ended in every way a lab can end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from support.servers import START

from sentinel.errors import StackError, TrialError
from sentinel.lab.process.helper import NICE, SLACK
from sentinel.lab.process.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEPER = ["sleep", "600"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
FAMILY = ["sh", "-c", "sleep 600 & echo $!; wait"]

PARENT = """
import os, sys, time
from pathlib import Path
from sentinel.lab.process.supervisor import Supervisor

supervisor = Supervisor(grace=0.5)
child = supervisor.start("child", {command!r}, log=Path({log!r}))
while {talks} and not child.tail():
    time.sleep(0.01)
print(child.pid, supervisor.pid, flush=True)
{ending}
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A supervisor with a short grace."""
    with Supervisor(grace=0.5) as supervisor:
        yield supervisor


def is_running(pid: int) -> bool:
    """Zombies have ended; whether anyone reaps them is up to this machine's init."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(*pids: int, seconds: float = 10.0) -> bool:
    """Whether all of `pids` end within `seconds`."""
    end = time.monotonic() + seconds
    while any(map(is_running, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(is_running, pids))


def wait_for_output(child_log: Path) -> str:
    """The log's text, as soon as there is some."""
    end = time.monotonic() + START
    while not (child_log.exists() and child_log.read_text(encoding="utf-8")) and time.monotonic() < end:
        time.sleep(0.01)
    return child_log.read_text(encoding="utf-8")


def pids_after(ending: str, log: Path, command: list[str], signum: int | None = None) -> list[int]:
    """Run a lab that starts `command` and ends by `ending` or `signum`: the pids of its child and its helper."""
    code = PARENT.format(command=command, log=str(log), ending=ending, talks=command is not SLEEPER)
    # Whoever started the tests may ignore these signals, and children would inherit that.
    code = (
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n" + code
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        if signum is not None:
            assert all(map(is_running, pids))
            parent.send_signal(signum)
        parent.wait(20)
    assert len(pids) == 2
    return pids


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param("", id="falls-off-the-end"),
        pytest.param("supervisor.close()", id="closes"),
        pytest.param("sys.exit(3)", id="sys-exit"),
        pytest.param("raise RuntimeError", id="raises"),
        pytest.param("os._exit(3)", id="exits-without-cleanup"),
        pytest.param("with supervisor: raise KeyboardInterrupt", id="interrupted-in-with"),
    ],
)
def test_children_end_with_a_lab_that_ends_by_itself(ending: str, tmp_path: Path) -> None:
    """However the lab's Python ends, its child and its helper end too."""
    assert ended(*pids_after(ending, tmp_path / "child.log", SLEEPER))


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_children_end_with_a_lab_that_is_killed(signum: int, tmp_path: Path) -> None:
    """A signal that ends the lab, even SIGKILL, ends its child and its helper."""
    assert ended(*pids_after("time.sleep(600)", tmp_path / "child.log", SLEEPER, signum))


def test_a_deaf_child_is_killed_after_the_grace(tmp_path: Path) -> None:
    """A child that ignores SIGTERM does not survive the lab's SIGKILL either."""
    assert ended(*pids_after("time.sleep(600)", tmp_path / "child.log", STUBBORN, signal.SIGKILL))


def test_grandchildren_end_with_a_killed_lab(tmp_path: Path) -> None:
    """What a child started in its own group ends with the lab."""
    log = tmp_path / "child.log"
    pids = pids_after("time.sleep(600)", log, FAMILY, signal.SIGKILL)
    assert ended(*pids, int(log.read_text()))


def test_a_fork_that_holds_the_pipe_does_not_keep_children_alive(tmp_path: Path) -> None:
    """The lab's end is noticed although a forked copy of it still holds the pipe open."""
    fork = "pid = os.fork()\nif pid: print(pid, file=open({!r}, 'w'), flush=True)\ntime.sleep(600)"
    note = tmp_path / "fork.pid"
    code = PARENT.format(command=SLEEPER, log=str(tmp_path / "child.log"), ending=fork.format(str(note)), talks=False)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        fork_pid = int(wait_for_output(note))
        parent.kill()
        try:
            assert ended(*pids)
            assert is_running(fork_pid)
        finally:
            os.kill(fork_pid, signal.SIGKILL)


def test_the_signals_that_end_a_lab_do_not_end_its_helper(supervisor: Supervisor, tmp_path: Path) -> None:
    """SIGINT, SIGHUP and SIGTERM to the helper leave it and its children at work, and its children not deaf."""
    child = supervisor.start("sleeper", SLEEPER, log=tmp_path / "sleeper.log")
    for signum in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.kill(supervisor.pid, signum)
    assert child.poll() is None
    assert child.stop() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", -signal.SIGKILL), ("kill -INT $$", -2)]
)
def test_exit_codes_are_those_of_subprocess(script: str, code: int, supervisor: Supervisor, tmp_path: Path) -> None:
    """An exit code is the program's own, or minus the signal that ended it, and stays known."""
    child = supervisor.start("script", ["sh", "-c", script], log=tmp_path / "script.log")
    assert code == child.wait(10)
    assert code == child.poll() == child.stop()


def test_a_signal_reaches_the_child_and_none_after_its_end(supervisor: Supervisor, tmp_path: Path) -> None:
    """`signal` is delivered while the child runs, and is harmless afterwards."""
    child = supervisor.start("sleeper", SLEEPER, log=tmp_path / "sleeper.log")
    child.signal(signal.SIGUSR1)
    assert child.wait(10) == -signal.SIGUSR1
    child.signal(signal.SIGUSR1)


def test_stop_kills_what_ignores_the_polite_request(supervisor: Supervisor, tmp_path: Path) -> None:
    """`stop` is SIGTERM first and SIGKILL after the grace."""
    child = supervisor.start("stubborn", STUBBORN, log=tmp_path / "stubborn.log")
    wait_for_output(child.log)
    assert child.stop(grace=0.1) == -signal.SIGKILL


def test_a_group_ends_with_its_leader(supervisor: Supervisor, tmp_path: Path) -> None:
    """A child that ends leaves nothing behind in its group, while the lab goes on."""
    child = supervisor.start("family", FAMILY, log=tmp_path / "family.log")
    grandchild = int(wait_for_output(child.log))
    assert is_running(grandchild)
    child.stop()
    assert ended(grandchild)


def test_waiting_too_long_names_process_seconds_and_log(supervisor: Supervisor, tmp_path: Path) -> None:
    """A timeout says who still runs, for how long we waited and where its log is; the child goes on."""
    child = supervisor.start("sleeper", SLEEPER, log=tmp_path / "sleeper.log")
    with pytest.raises(TrialError) as caught:
        child.wait(0.05)
    assert str(caught.value) == f"sleeper (pid {child.pid}) still runs after 0.05 s; its log is {child.log}"
    assert child.poll() is None


def test_a_missing_program_is_named_and_the_supervisor_goes_on(supervisor: Supervisor, tmp_path: Path) -> None:
    """A program that does not exist is an error with its name and what to do, not the end of the supervisor."""
    with pytest.raises(StackError, match=r"^bus: cannot start no-such-server: .*; install it or correct its path$"):
        supervisor.start("bus", ["no-such-server"], log=tmp_path / "bus.log")
    assert supervisor.start("true", ["true"], log=tmp_path / "true.log").wait(10) == 0


def test_output_and_errors_are_appended_to_the_log(supervisor: Supervisor, tmp_path: Path) -> None:
    """A child's stdout and stderr both land in its log, after what was there, and `tail` shows only its own."""
    log = tmp_path / "new" / "folder" / "talk.log"
    for _ in range(2):
        supervisor.start("talk", ["sh", "-c", "echo out; echo err >&2"], log=log).wait(10)
    child = supervisor.start("talk", ["sh", "-c", "echo last; echo words"], log=log)
    child.wait(10)
    assert log.read_text() == "out\nerr\nout\nerr\nlast\nwords\n"
    assert child.tail() == "last\nwords"
    assert child.tail(1) == "words"


def test_environment_and_folder_are_the_ones_asked_for(supervisor: Supervisor, tmp_path: Path) -> None:
    """A given environment replaces the inherited one, and the child starts in the given folder."""
    command = ["/bin/sh", "-c", 'echo "$COLOUR/$HOME"; pwd']
    child = supervisor.start("show", command, log=tmp_path / "show.log", env={"COLOUR": "grün"}, cwd=tmp_path)
    child.wait(10)
    assert child.tail() == f"grün/\n{tmp_path.resolve()}"


def test_requests_broken_off_do_not_confuse_later_ones(supervisor: Supervisor, tmp_path: Path) -> None:
    """After an interrupt between asking and reading, or in the middle of asking, each answer is still one's own."""
    child = supervisor.start("seven", ["sh", "-c", "exit 7"], log=tmp_path / "seven.log")
    sleeper = supervisor.start("sleeper", SLEEPER, log=tmp_path / "sleeper.log")
    assert child.wait(10) == 7
    assert supervisor._helper.stdin is not None
    supervisor._helper.stdin.write(b'{"act": "poll", "asked": 1, "number": 0}\n{"act": "start", "comm')
    supervisor._helper.stdin.flush()
    assert sleeper.poll() is None


def test_threads_share_a_supervisor(supervisor: Supervisor, tmp_path: Path) -> None:
    """Each thread gets the exit code of its own child."""
    codes: dict[int, int] = {}

    def run(number: int) -> None:
        child = supervisor.start(f"exit {number}", ["sh", "-c", f"exit {number}"], log=tmp_path / f"{number}.log")
        codes[number] = child.wait(20)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {number: number for number in range(8)}


def test_closing_ends_children_and_twice_does_no_harm(tmp_path: Path) -> None:
    """`close` returns once everything has ended; afterwards the supervisor says that it is closed."""
    supervisor = Supervisor()
    child = supervisor.start("sleeper", SLEEPER, log=tmp_path / "sleeper.log")
    supervisor.close()
    supervisor.close()
    assert not is_running(child.pid)
    assert not is_running(supervisor.pid)
    with pytest.raises(StackError, match="the supervisor is closed"):
        child.poll()


def test_a_killed_helper_is_reported_and_its_children_are_ended(tmp_path: Path) -> None:
    """If someone kills the helper itself, the lab hears of it and ends the children in its place."""
    with Supervisor() as supervisor:
        child = supervisor.start("sleeper", SLEEPER, log=tmp_path / "sleeper.log")
        os.kill(supervisor.pid, signal.SIGKILL)
        with pytest.raises(StackError, match=rf"the supervisor \(pid {supervisor.pid}\) has ended with exit code -9"):
            child.poll()
    assert ended(child.pid)


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a policy of Linux")
def test_a_child_in_the_background_changes_nobody_else(supervisor: Supervisor, tmp_path: Path) -> None:
    """A background child runs as SCHED_BATCH; the helper and the next child as ever."""
    children = [supervisor.start("child", SLEEPER, log=tmp_path / "log", background=b) for b in (False, True, False)]
    policies = [os.sched_getscheduler(pid) for pid in (supervisor.pid, *(child.pid for child in children))]
    assert policies == [os.SCHED_OTHER, os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_OTHER]
    sessions = [Path(f"/proc/{child.pid}/autogroup") for child in children]
    if all(session.exists() for session in sessions):  # a kernel may be without
        shares = [session.read_text().split()[-1] for session in sessions]
        assert shares == ["0", str(NICE), "0"]


@pytest.mark.skipif(not Path("/proc/self/timerslack_ns").exists(), reason="a setting of Linux")
def test_timers_of_a_child_in_the_background_may_be_late(supervisor: Supervisor, tmp_path: Path) -> None:
    """A background child, and whatever it starts, has the slack that is set; the child started next has ours."""
    code = "import pathlib; print(pathlib.Path('/proc/self/timerslack_ns').read_text(), end='')"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"]
    collected = []
    for number, background in enumerate((False, True, False)):
        log = tmp_path / str(number)
        assert supervisor.start("child", command, log=log, background=background).wait(10) == 0
        collected.append(int(log.read_text()))
    ours = int(Path("/proc/self/timerslack_ns").read_text(encoding="utf-8"))
    assert collected == [ours, SLACK, ours]


def test_a_failed_start_in_the_background_changes_nobody(supervisor: Supervisor, tmp_path: Path) -> None:
    """A program that does not exist is an error, and what starts next is no background process."""
    with pytest.raises(StackError, match="cannot start"):
        supervisor.start("none", [str(tmp_path / "none")], log=tmp_path / "log", background=True)
    child = supervisor.start("child", SLEEPER, log=tmp_path / "log")
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(child.pid) == os.sched_getscheduler(os.getpid())
