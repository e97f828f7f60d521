"""Scripts for the window of JupyterLab: a status line at its lower edge, and an output brought into view.

After *Run All* JupyterLab shows the last cell, whatever runs. In any other frontend the scripts do nothing. None stays
in a notebook: each is replaced by what its output is to hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from IPython.display import Javascript

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "sentinel-status"
"""The status line's id in the page."""

HIDE = f"""
const old = document.getElementById("{NAME}");
if (old) {{ clearInterval(old.timer); old.remove(); }}
"""

STYLE = (
    "position: fixed; bottom: 28px; left: 50%; transform: translateX(-50%); z-index: 1000; pointer-events: none;"
    "display: flex; gap: 10px; align-items: center; padding: 6px 14px; white-space: nowrap; border-radius: 4px;"
    "font: var(--jp-ui-font-size1) var(--jp-ui-font-family); color: var(--jp-ui-font-color1);"
    "background: var(--jp-layout-color1); border: 1px solid var(--jp-border-color1); box-shadow: var(--jp-elevation-z4)"
)
BUSY = '.jp-Notebook-ExecutionIndicator[data-status="busy"]'

# The page knows of no interrupt and no restart: a line is gone when no notebook has been busy for some seconds.
STATUS = """
if (document.querySelector(".jp-NotebookPanel")) {
  const line = document.createElement("div"), bar = document.createElement("progress"), text = new Text();
  const from = performance.now();
  let idle = 0;
  line.id = NAME;
  line.style = STYLE;
  line.setAttribute("role", "status");
  bar.max = 100;
  const clock = s => Math.floor(s / 60) + ":" + String(Math.floor(s % 60)).padStart(2, "0");
  const show = () => {
    const passed = (performance.now() - from) / 1000;
    const done = state.elapsed + passed, left = state.left - Math.min(state.step, passed);
    bar.value = Math.max(state.percent, Math.min(99, Math.floor(100 * done / (done + left))));
    text.data = `${bar.value} % ${state.label}, about ${clock(left)} left`;
    idle = document.querySelector(BUSY) ? 0 : idle + 1;
    if (idle > 5) { clearInterval(line.timer); line.remove(); }
  };
  line.append(bar, text);
  document.body.append(line);
  line.timer = setInterval(show, 1000);
  show();
}
"""

REVEAL = """
element.textContent = "starting…";
setTimeout(() => element.closest(".jp-NotebookPanel .jp-Cell")?.scrollIntoView({block: "start"}), 100);
"""


def status(state: Mapping[str, Any]) -> Javascript:
    """Show in a status line how far the work is.

    Args:
        state: `label` of the step; seconds `elapsed`, `left` of all the work and of the `step`; `percent`, the least
            that is shown.
    """
    given = {"NAME": NAME, "STYLE": STYLE, "BUSY": BUSY, "state": dict(state)}
    told = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items())
    return _script(f"{told}{HIDE}{STATUS}")


def hidden() -> Javascript:
    """Take the status line away."""
    return _script(HIDE)


def revealed() -> Javascript:
    """Bring the cell whose output this is to the top of the window, with room for what will be drawn below."""
    return _script(REVEAL)


def _script(text: str) -> Javascript:
    return Javascript(f"(() => {{{text}}})();")
