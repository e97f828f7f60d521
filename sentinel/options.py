"""Options that commands share, and the kinds of values they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sentinel.errors import SentinelError
from sentinel.settings import TRANSPORTS, BusSettings, parse_duration


class Duration(click.ParamType[float]):
    """Seconds, as `10`, `90s`, `2m`, `500ms`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Click's hook; a SettingsError becomes a usage error."""
        try:
            return parse_duration(value, param.name or "duration" if param else "duration")
        except SentinelError as error:
            self.fail(str(error), param, ctx)


class DurationOrOff(Duration):
    """As Duration; `off` is 0."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Click's hook."""
        return 0.0 if value == "off" else super().convert(value, param, ctx)


class DurationOrZero(Duration):
    """As Duration; also `0`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Click's hook."""
        return 0.0 if str(value) == "0" else super().convert(value, param, ctx)


class ConfigurationOption(click.Option):
    """A configuration's name; its help lists what there is, other packages' choices too, once it is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Click's hook."""
        from sentinel.consumer.configurations import described

        self.help = described()
        return super().get_help_record(ctx)


transport_option = click.option("--transport", type=click.Choice(TRANSPORTS), default="stream", help="Kind of bus.")
key_option = click.option("--key", default=BusSettings.stream, help="Name of the channel or stream.")
record_option = click.option(
    "--record", type=click.Path(path_type=Path, file_okay=False), help="Folder for intervals and ledger."
)
configuration_option = click.option(
    "--configuration", cls=ConfigurationOption, default="optimised", metavar="NAME[,AXIS=CHOICE]..."
)
health_option = click.option(
    "--health", type=DurationOrOff(), default="10s", help="Time between reports on itself; off: none."
)
heartbeat_option = click.option("--heartbeat", default="", metavar="FILE", help="File to touch while all is well.")
