"""The first process of PostgreSQL, which all others of it end with."""

import os
import signal
from pathlib import Path
from subprocess import SubprocessError

import asyncpg

from tests.jobs.waiting import until, until_true
from tests.support.servers import TestPostgres


async def kill_postmaster(server: TestPostgres) -> None:
    """Kill it, without a word to its children, and return once it is gone."""
    connection = await asyncpg.connect(server.url)
    directory = await connection.fetchval("SHOW data_directory")
    await connection.close()
    pid = int((Path(directory) / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    await until_true(lambda: not Path(f"/proc/{pid}").exists())


async def resume(server: TestPostgres, *, within: float = 10.0) -> None:
    """Start it again; it refuses as long as some child of the old one is still about."""

    async def started() -> bool:
        try:
            server.resume()
        except SubprocessError:
            return False
        return True

    await until(started, within=within)
