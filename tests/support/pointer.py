"""A mouse, a finger and a keyboard for a page in a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.browser import Browser

KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Enter": 13, "Tab": 9}
"""Keys that are no character, and their codes."""


class Pointer:
    """Of one browser; places are shares of an element's width, in the middle of its height."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def _at(self, selector: str, share: float) -> dict[str, float]:
        """Where that is in the window, once the element is in sight."""
        name = json.dumps(selector)
        box = self._browser.value(
            f"(e => {{ e.scrollIntoView({{block: 'center', behavior: 'instant'}}); const r = e.getBoundingClientRect();"
            f" return [r.left, r.top, r.width, r.height]; }})(document.querySelector({name}))"
        )
        return {"x": box[0] + share * box[2], "y": box[1] + box[3] / 2}

    def _mouse(self, kind: str, place: dict[str, float], **more: Any) -> None:
        self._browser._ask("Input.dispatchMouseEvent", type=kind, **place, **more)

    def _press(self, place: dict[str, float], count: int = 1) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self._mouse(kind, place, button="left", clickCount=count)

    def hover(self, selector: str, share: float) -> None:
        """Move there, from a little beside it."""
        place = self._at(selector, share)
        self._mouse("mouseMoved", place | {"y": place["y"] + 5})
        self._mouse("mouseMoved", place)

    def click(self, selector: str) -> None:
        """Once, in its middle."""
        self._press(self._at(selector, 0.5))

    def double_click(self, selector: str) -> None:
        """In its middle."""
        place = self._at(selector, 0.5)
        self._press(place)
        self._press(place, 2)

    def drag(self, selector: str, start: float, end: float) -> None:
        """From one place to another."""
        first, last = self._at(selector, start), self._at(selector, end)
        self.hover(selector, start)
        self._mouse("mousePressed", first, button="left", clickCount=1)
        for place in ({**first, "x": (first["x"] + last["x"]) / 2}, last):
            self._mouse("mouseMoved", place, button="left", buttons=1)
        self._mouse("mouseReleased", last, button="left", clickCount=1)

    def tap(self, selector: str, share: float) -> None:
        """With a finger."""
        self._browser._ask("Emulation.setTouchEmulationEnabled", enabled=True)
        self._browser._ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[self._at(selector, share)])
        self._browser._ask("Input.dispatchTouchEvent", type="touchMove", touchPoints=[self._at(selector, share)])
        self._browser._ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self._browser._ask("Emulation.setTouchEmulationEnabled", enabled=False)

    def key(self, name: str, selector: str = "", *, shift: bool = False) -> None:
        """Press a key, on an element that is focused before where one is named."""
        if selector:
            self._browser.value(f"document.querySelector({json.dumps(selector)}).focus()")
        code = {"windowsVirtualKeyCode": KEYS[name]} if name in KEYS else {"text": name}
        text = {"text": "\r"} if name == "Enter" else {}
        modifiers = 8 if shift else 0
        self._browser._ask("Input.dispatchKeyEvent", type="keyDown", key=name, modifiers=modifiers, **code, **text)
        self._browser._ask("Input.dispatchKeyEvent", type="keyUp", key=name, modifiers=modifiers, **code)
