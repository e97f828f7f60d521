"""The health lines that a store was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.model.health import CONSUMER

if TYPE_CHECKING:
    from support.servers import Asked, ScriptedStore


def is_health(asked: Asked) -> bool:
    """Whether a request carries a consumer's line about itself."""
    return asked.body.startswith(CONSUMER.encode())


def health_lines(store: ScriptedStore) -> list[bytes]:
    """The lines about a consumer that the store took, in order."""
    return [asked.body for _, asked, given in store.writes if is_health(asked) and given.status == 204]
