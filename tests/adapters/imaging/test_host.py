"""Whatever is asked of a child, its caller gets an answer or a named error."""

import asyncio
import os
import signal
import sys

import pytest

from medici.adapters.imaging.errors import (
    ImageOperationFailed,
    ImageProcessUnavailable,
    ImageQueueFull,
    UndecodableImage,
)
from medici.adapters.imaging.frames import BrokenFrame
from medici.adapters.imaging.host import ImageProcess
from medici.kernel.errors import Kind
from tests.adapters.imaging.children import (
    PATIENCE_SECONDS,
    echo,
    hanging,
    hostile,
    patient_echo,
)


class TestCall:
    async def test_returns_blobs_and_what_is_said_about_them(self, process: ImageProcess) -> None:
        reports: list[float] = []

        blobs, info = await process.call(
            "echo",
            [b"", b"x" * 3_000_000],
            {"style": "modern", "parts": ["walls"]},
            timeout_seconds=PATIENCE_SECONDS,
            on_progress=reports.append,
        )

        assert blobs == [b"", b"x" * 3_000_000]
        assert info == {"options": {"style": "modern", "parts": ["walls"]}}
        assert reports == [0.25, 1.0]

    async def test_starts_no_process_before_it_is_needed(self, process: ImageProcess) -> None:
        assert process.process_ids == []

    async def test_uses_one_child_for_one_call_after_another(self, process: ImageProcess) -> None:
        await echo(process)
        first = process.process_ids
        await echo(process)

        assert process.process_ids == first
        assert len(first) == 1

    async def test_lets_callers_wait_their_turn(self, process: ImageProcess) -> None:
        await asyncio.gather(*(echo(process) for _ in range(8)))

        assert len(process.process_ids) == 1

    async def test_runs_as_many_at_once_as_there_may_be_processes(self) -> None:
        async with hostile(max_processes=2) as process:
            running = [await hanging(process), await hanging(process)]

            assert len(process.process_ids) == 2
            for call in running:
                call.cancel()
            await asyncio.wait(running)

    async def test_refuses_when_too_many_wait(self) -> None:
        async with hostile(max_waiting=1) as process:
            running = await hanging(process)
            waiting = asyncio.create_task(echo(process))
            await asyncio.sleep(0)

            with pytest.raises(ImageQueueFull) as refused:
                await echo(process)

            assert (refused.value.code, refused.value.kind) == (
                "image_queue_full",
                Kind.UNAVAILABLE,
            )
            running.cancel()
            await waiting

    async def test_lets_the_patient_wait_however_many_wait(self) -> None:
        async with hostile(max_waiting=1) as process:
            running = await hanging(process)
            waiting = [asyncio.create_task(patient_echo(process)) for _ in range(4)]
            await asyncio.sleep(0)

            with pytest.raises(ImageQueueFull):  # the others still may not
                await echo(process)

            running.cancel()
            assert await asyncio.gather(*waiting) == [[b"pixels"]] * 4

    async def test_says_so_when_no_process_can_be_started(self) -> None:
        async with ImageProcess(command=["/no/such/python"]) as process:
            with pytest.raises(ImageProcessUnavailable, match="started"):
                await echo(process)

    async def test_refuses_a_request_beyond_bounds_and_keeps_the_child(
        self, process: ImageProcess
    ) -> None:
        await echo(process)
        before = process.process_ids

        with pytest.raises(BrokenFrame):
            await process.call("echo", [b""] * 17, {}, timeout_seconds=PATIENCE_SECONDS)

        assert process.process_ids == before

    async def test_is_not_disturbed_by_prints(self, process: ImageProcess) -> None:
        blobs, _ = await process.call("noisy", b"pixels", {}, timeout_seconds=PATIENCE_SECONDS)

        assert blobs == [b"pixels"]

    async def test_passes_a_refusal_on_and_keeps_the_child(self, process: ImageProcess) -> None:
        await echo(process)
        before = process.process_ids

        with pytest.raises(UndecodableImage, match="no picture"):
            await process.call("refuse", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        await echo(process)
        assert process.process_ids == before

    async def test_tells_of_a_fault_with_its_traceback(self, process: ImageProcess) -> None:
        with pytest.raises(ImageOperationFailed, match="LookupError: a fault of ours") as failed:
            await process.call("stumble", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        assert "in stumble" in failed.value.__notes__[0]

    async def test_names_an_operation_that_does_not_exist(self, process: ImageProcess) -> None:
        with pytest.raises(ImageOperationFailed, match="KeyError: 'nonsense'"):
            await process.call("nonsense", b"", {}, timeout_seconds=PATIENCE_SECONDS)

    async def test_refuses_an_answer_beyond_bounds(self, process: ImageProcess) -> None:
        with pytest.raises(ImageOperationFailed, match="too many"):
            await process.call("flood", b"", {}, timeout_seconds=PATIENCE_SECONDS)


class TestSurroundings:
    async def test_no_secret_reaches_the_child(
        self, process: ImageProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ENCRYPTION_KEYS", "k1:secret")

        _, info = await process.call("circumstances", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        names = info["environment"]
        assert isinstance(names, list)
        assert set(names) <= {
            "LC_ALL",
            "PYTHONHASHSEED",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MALLOC_ARENA_MAX",
            "PYTHONPATH",
            "LD_LIBRARY_PATH",
        }
        assert info["niceness"] == 5 + os.nice(0)

    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
    async def test_a_signal_to_the_whole_group_lets_the_parent_finish(
        self, process: ImageProcess, sent: signal.Signals
    ) -> None:
        await echo(process)
        [child] = process.process_ids

        os.kill(child, sent)
        await echo(process)

        assert process.process_ids == [child]

    async def test_the_parent_never_loads_what_works_on_pixels(self) -> None:
        script = (
            "import sys, medici.adapters.imaging.calls;"
            "sys.exit(any(name in sys.modules for name in ('PIL', 'numpy', 'cv2')))"
        )
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)

        assert await parent.wait() == 0
