"""Stand-ins for providers, started from the shell."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from medici.cli.fakes import environment
from medici.cli.words import Vendor
from tests.cli.conftest import Shell
from tests.cli.test_serve import COMMAND
from tests.cli.test_serve import environment as shell_environment


@contextmanager
def fake(directory: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start a stand-in on a free port; give the process and the lines that it told."""
    with subprocess.Popen(
        [*COMMAND, "fakes", *words, "--port", "0"],
        cwd=directory,
        env=shell_environment(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            yield running, list(told_by(running.stdout))
        finally:
            running.kill()


def told_by(output: IO[str]) -> Iterator[str]:
    """Give the lines up to the last one that a stand-in tells when it is ready."""
    for line in output:
        yield line.rstrip()
        if line.startswith("MEDICI_OUTBOUND_ALLOW="):
            return


class TestFakes:
    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
    def test_serves_until_it_is_told_to_stop(self, tmp_path: Path, signum: signal.Signals) -> None:
        with fake(tmp_path, "replicate") as (running, told):
            base = told[0].removeprefix("# replicate at ").removesuffix("; Ctrl-C ends it")
            work = httpx.get(f"{base}/__fake/work").json()
            running.send_signal(signum)
            _, complaints = running.communicate(timeout=30)

        assert work == {"billed": 0, "work": []}
        assert told[1:] == [
            f"REPLICATE_API_BASE={base}/v1",
            "REPLICATE_API_TOKEN=fake",
            f"MEDICI_OUTBOUND_ALLOW={base.removeprefix('http://')}",
        ]
        assert (running.returncode, complaints) == (0, "")

    @pytest.mark.parametrize("vendor", Vendor)
    def test_has_every_vendor(self, tmp_path: Path, vendor: Vendor) -> None:
        with fake(tmp_path, vendor, "--seed", "7") as (_, told):
            base = told[0].split()[3].rstrip(";")
            asked = httpx.get(f"{base}/__fake/requests").json()

        assert asked == []
        assert dict(line.split("=", 1) for line in told[1:]) == environment(vendor, base)

    def test_says_that_the_port_is_taken(self, shell: Shell) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as listening:
            port = listening.getsockname()[1]

            words = shell.refused("fakes", "replicate", "--port", str(port))

        assert "address already in use" in words

    def test_knows_no_other_vendor(self, shell: Shell) -> None:
        assert shell.run("fakes", "midjourney").exit_code == 2
