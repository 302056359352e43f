"""Whatever becomes of a child, its caller gets an answer or a named error."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from medici.adapters.imaging.calls import take_in
from medici.adapters.imaging.errors import (
    ImageCallTimedOut,
    ImageOperationFailed,
    ImageProcessDied,
    ImageProcessUnavailable,
    ImageQueueFull,
    ImageTooHeavy,
    UndecodableImage,
)
from medici.adapters.imaging.frames import BrokenFrame
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.imaging.limits import OperationLimits
from medici.adapters.imaging.pictures import PictureLimits
from medici.kernel.errors import Kind
from tests.attacks import images

HERE = Path(__file__).parent
HOSTILE = (sys.executable, "-P", str(HERE / "hostile_child.py"))
TIGHT = OperationLimits(memory_bytes=128 * 1024 * 1024, cpu_seconds=1)
PATIENCE_SECONDS = 20


def hostile(
    *, max_processes: int = 1, max_waiting: int = 64, idle_seconds: float = 60
) -> ImageProcess:
    return ImageProcess(
        command=HOSTILE,
        max_processes=max_processes,
        max_waiting=max_waiting,
        idle_seconds=idle_seconds,
        limits={"hog": TIGHT, "spin": TIGHT, "intake": TIGHT},
    )


@pytest.fixture
async def process() -> AsyncIterator[ImageProcess]:
    async with hostile() as process:
        yield process


async def echo(process: ImageProcess) -> None:
    blobs, _ = await process.call("echo", b"pixels", {}, timeout_seconds=PATIENCE_SECONDS)
    assert blobs == [b"pixels"]


async def patient_echo(process: ImageProcess) -> list[bytes]:
    blobs, _ = await process.call(
        "echo", b"pixels", {}, timeout_seconds=PATIENCE_SECONDS, patient=True
    )
    return list(blobs)


async def hanging(process: ImageProcess) -> asyncio.Task[object]:
    """Start a call that never ends, and return when it is under way."""
    under_way = asyncio.Event()

    async def hang() -> object:
        return await process.call(
            "hang",
            b"",
            {},
            timeout_seconds=PATIENCE_SECONDS,
            on_progress=lambda _: under_way.set(),
        )

    task = asyncio.create_task(hang())
    await asyncio.wait_for(under_way.wait(), PATIENCE_SECONDS)
    return task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the end of a process rings no bell here
            await asyncio.sleep(0.01)


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


class TestRestyle:
    async def test_is_done_in_the_child(self) -> None:
        reports: list[float] = []
        async with ImageProcess() as process:
            blobs, info = await process.call(
                "restyle",
                images.jpeg(quality=90),
                {"style": "modern", "seed": 7, "target_parts": ["walls"], "max_pixels": 100_000},
                timeout_seconds=PATIENCE_SECONDS,
                on_progress=reports.append,
            )

        assert blobs[0].startswith(b"\xff\xd8\xff")
        assert (info["content_type"], info["engine"]) == ("image/jpeg", "local/restyle")
        assert reports == sorted(reports)


class TestTakeIn:
    async def test_gives_a_clean_picture(self) -> None:
        async with ImageProcess() as process:
            picture = await take_in(process, images.jpeg(exif=images.exif(images.MAKERS[0])))

        assert (picture.content_type, picture.width, picture.height) == ("image/jpeg", 24, 16)
        assert images.CANARY not in picture.data

    async def test_passes_the_limits_on(self, process: ImageProcess) -> None:
        with pytest.raises(UndecodableImage):
            await take_in(process, images.wrong_checksum(images.png()))
        picture = await take_in(process, images.png(), PictureLimits(max_frames=1))

        assert picture.width == 24

    async def test_a_picture_beyond_the_child_s_memory_is_refused(
        self, process: ImageProcess
    ) -> None:
        large = images.encoded(images.picture(7000, 6000), "JPEG", quality=10)

        with pytest.raises(ImageTooHeavy):
            await take_in(process, large)

    async def test_probe_tells_the_versions(self) -> None:
        async with ImageProcess() as process:
            _, info = await process.call("probe", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        assert info["ok"] is True
        assert isinstance(info["versions"], dict)
        assert info["versions"].keys() == {"pillow", "numpy", "opencv-python-headless"}
