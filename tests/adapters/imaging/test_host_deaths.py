"""However a child ends, its caller hears of it and the next one gets another."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from medici.adapters.imaging.errors import (
    ImageCallTimedOut,
    ImageProcessDied,
    ImageProcessUnavailable,
    ImageTooHeavy,
)
from medici.adapters.imaging.host import ImageProcess
from medici.kernel.errors import Kind
from tests.adapters.imaging.children import (
    HERE,
    PATIENCE_SECONDS,
    echo,
    hanging,
    hostile,
    until,
)


class TestDeath:
    async def test_by_kill_in_the_middle_of_a_call(self, process: ImageProcess) -> None:
        call = await hanging(process)
        [killed] = process.process_ids

        os.kill(killed, signal.SIGKILL)

        with pytest.raises(ImageProcessDied) as died:
            await call
        assert died.value.return_code == -signal.SIGKILL
        assert (died.value.code, died.value.kind) == ("image_process_died", Kind.UNAVAILABLE)
        await echo(process)
        assert killed not in process.process_ids

    async def test_by_crash_of_a_library(self, process: ImageProcess) -> None:
        with pytest.raises(ImageProcessDied) as died:
            await process.call("crash", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        assert died.value.return_code == -signal.SIGSEGV
        await echo(process)

    async def test_while_idle_costs_nobody_anything(self, process: ImageProcess) -> None:
        await echo(process)
        [killed] = process.process_ids
        os.kill(killed, signal.SIGKILL)
        await until(lambda: process.process_ids == [])

        await echo(process)

        assert killed not in process.process_ids

    async def test_by_want_of_memory_is_the_picture_s_fault(self, process: ImageProcess) -> None:
        with pytest.raises(ImageTooHeavy) as refused:
            await process.call("hog", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        assert (refused.value.code, refused.value.kind) == ("image_too_heavy", Kind.UNPROCESSABLE)
        assert process.process_ids == []
        await echo(process)

    async def test_by_want_of_processor_time_is_the_picture_s_fault(
        self, process: ImageProcess
    ) -> None:
        with pytest.raises(ImageTooHeavy, match="processor time"):
            await process.call("spin", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        await echo(process)

    async def test_by_timeout(self, process: ImageProcess) -> None:
        with pytest.raises(ImageCallTimedOut) as late:
            await process.call("hang", b"", {}, timeout_seconds=0.5)

        assert (late.value.code, late.value.kind) == ("image_call_timed_out", Kind.UNAVAILABLE)
        assert process.process_ids == []
        await echo(process)

    async def test_by_cancellation(self, process: ImageProcess) -> None:
        call = await hanging(process)

        call.cancel()
        await asyncio.wait([call])

        assert call.cancelled()
        assert process.process_ids == []
        await echo(process)

    async def test_by_idleness(self) -> None:
        async with hostile(idle_seconds=0.05) as process:
            await echo(process)

            await until(lambda: process.process_ids == [])

            await echo(process)

    async def test_by_close_fails_the_call_that_runs(self) -> None:
        process = hostile()
        call = await hanging(process)

        await process.close()

        with pytest.raises(ImageProcessDied):
            await call
        assert process.process_ids == []
        with pytest.raises(ImageProcessUnavailable, match="closed"):
            await echo(process)

    @pytest.mark.parametrize("state", ["idle", "busy"])
    async def test_of_the_parent_ends_the_child(self, state: str) -> None:
        parent = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "doomed_parent.py"),
            state,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert parent.stdout
        assert parent.stderr
        assert await parent.stdout.readline() == b"ready\n"

        parent.kill()

        # The child holds standard error too: it ends only when both are gone.
        assert await asyncio.wait_for(parent.stderr.read(), PATIENCE_SECONDS) == b""
        await parent.wait()
