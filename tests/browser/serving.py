"""A real server process for a browser to visit, on SQLite in a directory of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

READY_SECONDS = 30.0
LOOK_SECONDS = 0.1
# Whatever the machine running the tests has set for itself stays out of the server.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@contextmanager
def served(directory: Path, **settings: str) -> Iterator[str]:
    """Serve the application and give its address, until the block is left."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "medici.app:create_app", "--factory"]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "DATABASE_URL": f"sqlite:///{directory}/app.db",
        "MEDICI_DATA_DIR": str(directory / "data"),
        "MEDICI_LOG_FORMAT": "json",
        **settings,
    }
    with (
        (directory / "server.log").open("wb") as log,
        subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            _wait_until_ready(server, f"http://127.0.0.1:{port}", directory / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: subprocess.Popen[bytes], base: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/healthz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"the server did not get ready:\n{log.read_text()}")
