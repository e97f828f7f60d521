"""A stand-in for VS Code, of which only the way it speaks to a kernel is followed: VS Code itself runs in no test.

The editor can be had as a package (code-server), but not its Jupyter extension, without which it executes no notebook.
What the extension does otherwise than other frontends: it starts the kernel itself, in a folder that is a
setting, with its own variables and those of the workspace's `.env`; it executes code of its own before the first cell,
which names the notebook and may change matplotlib's style; it then sends one cell after another, stops at the first
that fails, and saves what they show into the notebook.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from nbformat.v4 import output_from_msg
from support.executions import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = {"VSCODE_PID": "1", "VSCODE_CWD": "/", "PYDEVD_IPYTHON_COMPATIBLE_DEBUGGING": "1", "PYTHONUNBUFFERED": "1"}
"""Variables that its kernels have."""
WIDGETS = "from importlib.util import find_spec\nprint(find_spec('ipywidgets'))"
"""It asks whether there are widgets."""
STARTUP = """\
__vsc_ipynb_file__ = {notebook!r}
%config Completer.use_jedi = False
import matplotlib
%matplotlib inline
matplotlib.style.use('dark_background')
"""
"""As in a dark window whose theme the figures are to follow."""
SHOWN = ("stream", "display_data", "execute_result", "error")


class Window:
    """A notebook that is open, with its kernel."""

    def __init__(self, client: BlockingKernelClient, notebook: Path) -> None:
        self._client = client
        self._path = notebook
        self._displays: dict[str | None, Any] = {}
        self.notebook = nbformat.read(notebook, 4)

    def executed(self, code: str, *, history: bool = False, **metadata: Any) -> list[Any]:
        """Execute code; returns what it shows. A display may be updated by whatever is executed later."""
        content = {"code": code, "silent": False, "store_history": history, "allow_stdin": True}
        content |= {"stop_on_error": False, "user_expressions": {}}
        request = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(request)
        shown: list[Any] = []
        while True:
            message = self._client.get_iopub_msg(timeout=90)
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            if message["content"].get("execution_state") == "idle":
                return shown
            self._take(message, shown)

    def _take(self, message: dict[str, Any], shown: list[Any]) -> None:
        kind, display = message["msg_type"], message["content"].get("transient", {}).get("display_id")
        if kind == "update_display_data":
            message["header"]["msg_type"] = "display_data"
            self._displays[display].data = output_from_msg(message).data
        elif kind in SHOWN:
            shown.append(output_from_msg(message))
            self._displays[display] = shown[-1]

    def run_all(self) -> None:
        """Execute all cells, up to the first that fails."""
        for number, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code":
                place = f"vscode-notebook-cell:{self._path}#{number}"
                cell.outputs = self.executed(cell.source, history=True, cellId=place)
                if any(output.output_type == "error" for output in cell.outputs):
                    return

    def save(self) -> None:
        """Save the notebook with all that it shows."""
        nbformat.write(self.notebook, self._path)


@contextmanager
def opened(notebook: Path, folder: Path, **env: str) -> Iterator[Window]:
    """A notebook in VS Code, with a kernel that starts in such a folder, its own code executed."""
    with tempfile.TemporaryDirectory() as private:
        connection, _ = write_connection_file(f"{private}/kernel.json")
        command = [sys.executable, "-m", "ipykernel_launcher", f"--f={connection}"]
        process = subprocess.Popen(command, cwd=folder, env=clean() | OWN | env)
        client = BlockingKernelClient(connection_file=connection)
        client.load_connection_file()
        client.hb_channel.time_to_dead = 20.0  # on a busy machine a heart that starts takes longer than a second
        client.start_channels()
        try:
            client.wait_for_ready(timeout=40)
            window = Window(client, notebook)
            window.executed(WIDGETS)
            assert [] == window.executed(STARTUP.format(notebook=str(notebook)))
            yield window
            client.shutdown()
            process.wait(20)
        finally:
            client.stop_channels()
            process.kill()
            process.wait()
