"""Whether a consumer's work goes on, as its heartbeat file tells whoever watches the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.runtime.heartbeat import Heartbeat

if TYPE_CHECKING:
    from sentinel.consumer.account import Account
    from sentinel.consumer.batching import Batcher


class Liveness:
    """Of one consumer. `came_round` is the reader's to set, `look` the housekeeping thread's to call.

    Args:
        path: The heartbeat file; empty for none.
        account: Shows what was received and written.
        batcher: Shows what is under way.

    Raises:
        SettingsError: the file cannot be written.
    """

    def __init__(self, path: str, account: Account, batcher: Batcher) -> None:
        self._heartbeat = Heartbeat(path)
        self._account = account
        self._batcher = batcher
        self.came_round = False
        """Whether the reader has come round since the last look."""
        self._settled = 0

    def look(self) -> None:
        """Touch the file, if since the last look the work went on."""
        if self._moves():
            self._heartbeat.beat()

    def _moves(self) -> bool:
        """The reader came round, and the store answered, or there is nothing for it to answer."""
        came, self.came_round = self.came_round, False
        before, self._settled = self._settled, self._account.settled
        return came and (self._settled != before or self._account.in_hand <= len(self._batcher))
