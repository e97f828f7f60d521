"""Every error a user can meet, in one small tree.

Driver errors (redis, http.client, influxdb-client, OSError) are translated into these at the edge that meets them;
inside the pipeline only these names appear. A message gives the value, what was expected and what to do.
"""

from __future__ import annotations


class SentinelError(Exception):
    """Something a user can act on; the command line prints the message and exits with `exit_code`."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it in a notebook: the message, as in a terminal, and no stack of calls."""
        return [f"error: {self}"]


class SettingsError(SentinelError):
    """A parameter, option or environment variable has a value that is not allowed."""


class ExtensionError(SettingsError):
    """An entry point of an installed package cannot be loaded, or collides with another; the message names it."""


class ContenderError(SettingsError):
    """A contender's file cannot be read or makes no sense, or its program is missing or could not be built."""


class BusError(SentinelError):
    """Redis cannot be reached, or refused what was asked."""


class BusRefusedError(BusError):
    """Redis answered, and refused what was asked: no right, no memory, a key of another type.

    Attributes:
        code: The first word of its answer, such as `NOPERM`.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class StoreError(SentinelError):
    """The store cannot be reached or cannot take points now: trying again may help.

    Attributes:
        retry_after: Seconds the store asked to wait (`Retry-After`), or None.
        status: Of its answer; None where none came.
    """

    def __init__(self, message: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status


class StoreRefusedError(StoreError):
    """The store will never accept this body (400, 413, 422): trying the same again is useless.

    Attributes:
        line: Position of the line that it blames, from 0; None where it names none.
    """

    line: int | None = None


class StoreAccessError(StoreError):
    """Wrong token or user, no such bucket (401, 403, 404), or a redirect: a person must change a setting."""


class RecordingError(SentinelError):
    """A recording cannot be read, written, masked or played; the message names its file."""


class StackError(SentinelError):
    """A server of the stack could not be found or started."""


class TrialError(SentinelError):
    """A trial could not be carried out; what was measured so far is kept."""


class RunError(SentinelError):
    """A run's record is missing, unreadable or cannot be written."""


class RunRecordError(RunError):
    """A run.json cannot be read; the message names the file, and the key where that is what is wrong.

    Attributes:
        fault: What is wrong with it in one word, such as `damaged` or `newer`.
    """

    def __init__(self, message: str, fault: str) -> None:
        super().__init__(message)
        self.fault = fault


class RunEndedError(SentinelError):
    """A run ended before its time, on purpose or because it could not go on; what was measured is kept.

    Attributes:
        exit_code: Of the command that carried it out: 130 after an interrupt, else 1.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
