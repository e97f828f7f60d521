"""INFLUX_URL taken apart: where the store is, and what we show it to be let in."""

from __future__ import annotations

import base64
import urllib.parse
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from sentinel.errors import SettingsError
from sentinel.settings import shown

if TYPE_CHECKING:
    from sentinel.settings import StoreSettings


class Address(NamedTuple):
    """Where the store is. `login` is `user:password`, empty where the address names no user."""

    scheme: str
    host: str
    port: int | None
    path: str
    login: str

    @property
    def user(self) -> str:
        """The user's name, or empty."""
        return self.login.partition(":")[0]


def address(settings: StoreSettings) -> Address:
    """The store's address, its user and password decoded.

    Raises:
        SettingsError: the URL is no address, or names a user although there is a token.
    """
    with suppress(ValueError):  # a port that is none, half an IPv6 address
        parts = urllib.parse.urlsplit(settings.url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            login = _login(parts)
            if login and settings.token:
                raise SettingsError(
                    "INFLUX_URL names a user and INFLUX_TOKEN is set, but a request can show one of the two: unset"
                    " INFLUX_TOKEN for InfluxDB 1.x, or take user and password out of INFLUX_URL"
                )
            return Address(parts.scheme, parts.hostname, parts.port, parts.path.rstrip("/"), login)
    odd = " (in a password, write / ? # and @ as %2F %3F %23 and %40)" if "@" in settings.url else ""
    raise SettingsError(f"INFLUX_URL={shown(settings.url)!r} is not an address: expected http://host:port{odd}")


def _login(parts: urllib.parse.SplitResult) -> str:
    if parts.username is None:
        return ""
    return f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"


def without_login(url: str) -> str:
    """The URL without user and password."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def authorization(settings: StoreSettings) -> dict[str, str]:
    """The header that a request must carry: HTTP Basic for a user in the address, else the token; none without both."""
    if login := address(settings).login:
        return {"Authorization": f"Basic {_basic(login)}"}
    return {"Authorization": f"Token {settings.token}"} if settings.token else {}


def _basic(login: str) -> str:
    return base64.b64encode(login.encode()).decode()


def hidden(text: str, settings: StoreSettings) -> str:
    """Replace password and token in a text, such as a proxy's error page that repeats the request."""
    if login := address(settings).login:
        for secret in filter(None, (_basic(login), login.partition(":")[2])):
            text = text.replace(secret, "(password)")
    return text.replace(settings.token, "(token)") if settings.token else text
