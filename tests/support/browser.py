"""A page in headless chromium, which can reach nothing but the file."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
import websocket

from sentinel.environment import LabSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
CONSOLE = ("--enable-logging=stderr", "--v=0", "--dump-dom")


def program() -> str:
    """The system's chromium; without it a test is skipped, or fails where real servers are demanded."""
    program = shutil.which("chromium")
    if program is None:
        (pytest.fail if os.environ.get(LabSettings.STRICT) else pytest.skip)("chromium is not on PATH")
    assert program is not None
    return program


def browsed(path: Path, profile: Path) -> tuple[str, list[str]]:
    """The page as chromium has it, and what its console says; no name can be resolved."""
    command = [program(), *QUIET, *CONSOLE, f"--user-data-dir={profile}", path.as_uri()]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=50, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


class Browser:
    """One tab that does as it is told, over the DevTools protocol."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=40)
        self._number = 0
        self.heard: list[dict[str, Any]] = []
        """What the tab told by itself, such as that it asks for a file or writes to the console."""

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != self._number:
            self.heard.append(answer)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def close(self) -> None:
        """Let go of the tab."""
        self._socket.close()

    def open(self, path: Path) -> None:
        """Go to a file, and wait until it and its pictures are there."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(f"{domain}.enable")
        self._ask("Page.navigate", url=path.absolute().as_uri())
        while (told := json.loads(self._socket.recv())).get("method") != "Page.loadEventFired":
            self.heard.append(told)

    def seen(self, *, width: int = 1280, height: int = 900, scheme: str = "light", medium: str = "screen") -> None:
        """Look at it on such a screen, in `light` or `dark`, or as printed."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self._ask("Emulation.setDeviceMetricsOverride", **size)
        scheme_of = [{"name": "prefers-color-scheme", "value": scheme}]
        self._ask("Emulation.setEmulatedMedia", media=medium, features=scheme_of)

    def value(self, expression: str, *, wait: bool = False) -> Any:
        """What a JavaScript expression comes to; or, to `wait` for, the promise that it makes."""
        how = {"returnByValue": True, "awaitPromise": wait}
        return self._ask("Runtime.evaluate", expression=expression, **how)["result"].get("value")

    def photograph(self, left: float, top: float, width: float, height: float) -> bytes:
        """A part of the page, as PNG."""
        clip = {"x": left, "y": top, "width": width, "height": height, "scale": 1}
        shot = self._ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def printed(self) -> bytes:
        """The page as PDF, A4."""
        return base64.b64decode(self._ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])


@contextmanager
def opened(path: Path, profile: Path) -> Iterator[Browser]:
    """The page in a browser of its own."""
    own = [f"--user-data-dir={profile}", "--remote-debugging-port=0", "--remote-allow-origins=*", "about:blank"]
    with subprocess.Popen([program(), *QUIET, *own], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            port = next(match[1] for line in process.stderr if (match := re.search(r"ws://127\.0\.0\.1:(\d+)/", line)))
            with urlopen(f"http://127.0.0.1:{port}/json", timeout=20) as answer:
                tab = next(item for item in json.load(answer) if item["type"] == "page")
            with closing(Browser(tab["webSocketDebuggerUrl"])) as browser:
                browser.open(path)
                yield browser
        finally:
            process.terminate()
