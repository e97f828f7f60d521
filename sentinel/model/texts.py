"""Texts from outside, an argument, a variable or the host's name, that have to go into lines, headers and keys.

Python hands over bytes that are no UTF-8 as lone surrogates, which no line, JSON text or Redis key can hold.
"""

from __future__ import annotations

import socket

from sentinel.errors import SettingsError


def require_utf8(**texts: str) -> None:
    """Refuse texts with bytes that are no UTF-8.

    Args:
        texts: by the name of the setting. The value of a URL is never shown.

    Raises:
        SettingsError: names the setting, and what it holds unless that may be a secret.
    """
    for name, text in texts.items():
        try:
            text.encode()
        except UnicodeEncodeError:
            shown = "" if name.endswith("_URL") else f"={visible_bytes(text)!r}"
            raise SettingsError(f"{name}{shown} holds bytes that are no UTF-8: expected UTF-8 text") from None


def require_header(**texts: str) -> None:
    """Refuse texts that no HTTP header can carry.

    Args:
        texts: by the name of the setting. The value may be a secret, and is not shown.

    Raises:
        SettingsError: names the setting.
    """
    for name, text in texts.items():
        if not (text.isascii() and text.isprintable()):
            raise SettingsError(f"{name} holds a character that no header can carry: expected printable ASCII")


def visible_bytes(text: str) -> str:
    r"""The text with bytes that are no UTF-8 written as their escapes (`caf\xe9`)."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def host_name() -> str:
    """This host's name, whatever bytes it is made of."""
    return visible_bytes(socket.gethostname())
