"""The pipeline's own choices by name, as tests take them one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.consumer.choices import CHOICES

if TYPE_CHECKING:
    from sentinel.bus import Receiver
    from sentinel.settings import BusSettings, ConsumerSettings

DECODERS: dict[str, Any] = {name: choice.implemented() for name, choice in CHOICES["decode"].items()}
WRITERS = CHOICES["write"]


def open_receiver(name: str, bus: BusSettings, consumer: ConsumerSettings) -> Receiver:
    """A receiver of the choice of that name."""
    receiver: Receiver = CHOICES["receive"][name].implemented(bus, consumer)
    return receiver
