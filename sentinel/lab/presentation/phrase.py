"""Sentences in parts: what decides in one is marked where the sentence is made, not searched for afterwards. Pure."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Strong(str):
    """A part that decides: a page sets it in bold."""

    __slots__ = ()


class Phrase(tuple[str, ...]):
    """A text in parts, some of them `Strong`; `str` of it is the whole text."""

    __slots__ = ()

    def __str__(self) -> str:
        return "".join(self)


def phrase(template: str, **values: object) -> Phrase:
    """A template with its values filled in.

    Args:
        template: Text with `{name}` where a value goes, as `str.format` has it.
        **values: By name; phrases and `Strong` keep their marks, every other value becomes text.

    Raises:
        KeyError: the template names a value that is not given.
    """
    parts: list[str] = []
    for text, name, _, _ in Formatter().parse(template):
        parts += _parts(text) + (_parts(values[name]) if name is not None else [])
    return Phrase(parts)


def joined(between: str, phrases: Iterable[object]) -> Phrase:
    """Texts or phrases in a row.

    Args:
        between: The text between each two.
        phrases: Phrases and `Strong` keep their marks, every other item becomes text.
    """
    parts: list[str] = []
    for item in phrases:
        parts += (_parts(between) if parts else []) + _parts(item)
    return Phrase(parts)


def _parts(value: object) -> list[str]:
    if isinstance(value, Phrase):
        return list(value)
    text = value if isinstance(value, Strong) else str(value)
    return [text] if text else []
