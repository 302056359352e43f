"""Watching which addresses the process really connects to, below every library."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

Peer: TypeAlias = tuple[str, int]


class _Watch:
    """The interpreter's audit hook; it cannot be taken out again, only told to look away."""

    def __init__(self) -> None:
        self.peers: list[Peer] | None = None
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.peers is None or event != "socket.connect":
            return
        match arguments:
            case (socket.socket(), (str(host), int(port), *_)):
                self.peers.append((host, port))
                if host != "127.0.0.1":
                    raise ConnectionRefusedError("tests do not leave this machine")


_watch = _Watch()


@contextmanager
def connections() -> Iterator[list[Peer]]:
    """Give the list of peers that are connected to from now on; only loopback lets itself."""
    peers: list[Peer] = []
    _watch.peers = peers
    try:
        yield peers
    finally:
        _watch.peers = None
