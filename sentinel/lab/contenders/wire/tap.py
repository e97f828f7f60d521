"""The tap (`python -m sentinel.lab.contenders.wire.tap FOLDER URL`): stands between a consumer and the store.

It forwards bytes and parses nothing. Whatever passes is noted as it was, with its times, in one file a connection:
`messages` reads them after the trial. Once it is held (SIGUSR1) nothing more goes to the store: what a consumer does
with messages that it cannot store is what `verify` wants to see.
Only the standard library, so that it starts fast and stays small. One thread a connection: the consumer of a
connection whose store is slow holds up no other.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from struct import Struct
from urllib.parse import urlsplit

HEAD = Struct("<qqBI")
"""Of a note: wall clock (ns since the epoch), monotonic clock (ns), direction, bytes that follow."""
TO_STORE, FROM_STORE = 0, 1
LISTENING = "the tap listens on"
BUFFER = 256 * 1024
"""Bytes taken from a socket at once: a whole batch of most consumers."""
LAST = 1.0
"""Seconds in which, at its end, what is being forwarded must be noted."""


class Tap:
    """Accepts consumers, and connects each to the store.

    Args:
        folder: Receives the notes.
        store: The store's URL; a path and a user in it are the consumer's affair.
    """

    def __init__(self, folder: Path, store: str) -> None:
        self._folder = folder
        parts = urlsplit(store)
        self._secure = parts.scheme == "https"
        self._store = parts.hostname or "127.0.0.1", parts.port or (443 if self._secure else 80)
        self._held = False
        self._forwarding = set[int]()
        """Files of notes whose connections are forwarding something that is not noted yet."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def hold(self, *_: object) -> None:
        """Let nothing more pass to the store, for good."""
        self._held = True

    def end(self, *_: object) -> None:
        """End the process, once what was forwarded is noted: what a consumer has seen is in the notes."""
        latest = time.monotonic() + LAST
        while self._forwarding and time.monotonic() < latest:
            time.sleep(0.001)
        os._exit(0)

    def serve(self) -> None:
        """Accept until the process ends."""
        number = 0
        while True:
            consumer, _ = self._listener.accept()
            threading.Thread(target=self._carry, args=(consumer, number), daemon=True).start()
            number += 1

    def _carry(self, consumer: socket.socket, number: int) -> None:
        """One connection, from its beginning to its end; what breaks it, breaks it on both sides."""
        notes = os.open(self._folder / f"{number}.notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        with consumer, suppress(OSError), self._connected() as store:
            consumer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._exchange(consumer, store, notes)
        self._forwarding.discard(notes)
        os.close(notes)

    def _connected(self) -> socket.socket:
        store = socket.create_connection(self._store, timeout=10)
        store.settimeout(None)
        store.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return (
            ssl.create_default_context().wrap_socket(store, server_hostname=self._store[0]) if self._secure else store
        )

    def _exchange(self, consumer: socket.socket, store: socket.socket, notes: int) -> None:
        """Carry both ways until the store has closed, or the consumer broke off."""
        poll = select.poll()
        ways = {consumer.fileno(): (consumer, store, TO_STORE), store.fileno(): (store, consumer, FROM_STORE)}
        for number in ways:
            poll.register(number, select.POLLIN)
        view = memoryview(bytearray(BUFFER))
        while ways:
            for number, _ in poll.poll():
                source, sink, direction = ways[number]
                count = source.recv_into(view)
                now, tick = time.time_ns(), time.monotonic_ns()
                if not count:
                    poll.unregister(number)
                    del ways[number]
                    if direction == FROM_STORE:
                        return
                    sink.shutdown(socket.SHUT_WR)
                    continue
                if self._held and direction == TO_STORE:
                    threading.Event().wait()
                self._forwarding.add(notes)
                sink.sendall(view[:count])
                os.writev(notes, (HEAD.pack(now, tick, direction, count), view[:count]))
                self._forwarding.discard(notes)


def main() -> None:
    """Serve: arguments are the folder of the notes and the store's URL."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tap = Tap(folder, sys.argv[2])
    signal.signal(signal.SIGUSR1, tap.hold)
    signal.signal(signal.SIGTERM, tap.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"{LISTENING} {tap.port}", flush=True)
    tap.serve()


if __name__ == "__main__":
    main()
