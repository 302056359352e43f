"""A real server, started and visited from the shell."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from medici.cli.smoke import STEPS
from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from medici.cli import app; app()")
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")  # nothing else of this machine reaches the server
READY_SECONDS = 60.0
TOKEN = "the-operators-own"


def environment(directory: Path, **settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"DATABASE_URL": f"sqlite:///{directory}/app.db", **settings}


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


def wait_until_ready(server: subprocess.Popen[bytes], base: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not get ready")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server whose operator has a token."""
    directory, port = tmp_path_factory.mktemp("server"), free_port()
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)],
        cwd=directory,
        env=environment(directory, ADMIN_API_TOKEN=TOKEN, MEDICI_LOG_LEVEL="error"),
        stdout=subprocess.PIPE,
    ) as running:
        wait_until_ready(running, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
        running.send_signal(signal.SIGTERM)
        told, _ = running.communicate(timeout=30)
    assert told.decode().splitlines()[0] == f"Try it   http://127.0.0.1:{port}/"


class Doorless(BaseHTTPRequestHandler):
    """Is healthy, and serves nothing else."""

    def do_GET(self) -> None:
        told = {"service": "medici", "version": "0", "components": {"database": "ok"}}
        self._answer(200, json.dumps(told))

    def do_POST(self) -> None:
        self._answer(404, "no such path")

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


@pytest.fixture
def doorless() -> Iterator[str]:
    """The address of a server that fails at the second step."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Doorless) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


class TestSmoke:
    def test_passes_every_step(self, server: str) -> None:
        script = ROOT / "scripts" / "smoke_api_flow.py"
        run = subprocess.run(
            [sys.executable, script, "--base-url", server, "--admin-token", TOKEN],
            capture_output=True,
            check=False,
            text=True,
        )

        assert (run.returncode, run.stderr) == (0, "")
        passed = [line for line in run.stdout.splitlines() if line.startswith("✓")]
        assert [line[2:19].strip() for line in passed] == [name for name, _ in STEPS]

    def test_names_the_step_that_failed(self, doorless: str, shell: Shell) -> None:
        result = shell.run("smoke", "--base-url", doorless)

        assert result.exit_code == 1
        assert result.stdout.startswith("✓ health ")
        assert result.stderr == "✗ login-dev: 404 no such path\n"

    def test_says_that_nobody_is_there(self, shell: Shell) -> None:
        words = shell.refused("smoke", "--base-url", f"http://127.0.0.1:{free_port()}")

        assert words.startswith("✗ health: Cannot connect")


class TestServe:
    def test_says_that_the_port_is_taken(self, server: str, shell: Shell) -> None:
        port = server.rpartition(":")[2]

        assert shell.refused("serve", "--port", port) == (
            f"medici: cannot listen on 127.0.0.1:{port}: Address already in use (port_unusable)"
        )

    def test_says_what_is_unsafe(self, shell: Shell) -> None:
        words = shell.refused("serve", "--port", str(free_port()), APP_ENV="production")

        assert "ENCRYPTION_KEYS is not set" in words
        assert words.endswith("(unsafe_settings)")

    def test_says_that_the_database_is_away(self, shell: Shell) -> None:
        url = f"postgresql://ada:geheim@127.0.0.1:{free_port()}/medici"

        words = shell.refused("serve", "--port", str(free_port()), DATABASE_URL=url)

        assert words.startswith("medici: the database does not answer: ")
        assert "geheim" not in words

    def test_names_a_setting_that_cannot_be_but_not_its_value(self, shell: Shell) -> None:
        words = shell.refused("serve", MEDICI_LOG_LEVEL="secret-level")

        assert words.startswith("medici: the settings cannot be used: MEDICI_LOG_LEVEL: ")
        assert "secret-level" not in words


class TestWorker:
    def test_works_until_it_is_told_to_stop(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            [*COMMAND, "worker"],
            cwd=tmp_path,
            env=environment(tmp_path, MEDICI_LOG_FORMAT="json"),
            stderr=subprocess.PIPE,
        ) as running:
            assert running.stderr is not None
            for line in running.stderr:
                if b"worker.started" in line:
                    break
            running.send_signal(signal.SIGTERM)
            rest = running.stderr.read()

        assert (running.returncode, b"worker.stopped" in rest) == (0, True)
