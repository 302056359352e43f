"""The child process: reads a call, does it, answers, until its parent closes the line.

Started as ``python -m medici.adapters.imaging.child`` by ``host``, never imported by the server.
"""

import ctypes
import math
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from medici.adapters.imaging import frames
from medici.adapters.imaging.errors import ImageTooHeavy, PictureRefused
from medici.adapters.imaging.frames import Frame, JsonObject
from medici.adapters.imaging.operations import OPERATIONS, Operation, Progress

if sys.platform != "win32":
    import resource

NICENESS = 5  # the API beside us stays quick
PR_SET_PDEATHSIG = 1
OPENCV_OUT_OF_MEMORY = -4


def serve(operations: Mapping[str, Operation]) -> None:
    """Answer calls on standard input until it ends."""
    source, sink = _take_the_line()
    _become_a_good_neighbour()
    while (request := frames.read_blocking(source)) is not None:
        sink.writelines(_answer(request, operations, _reporter(sink)))
        sink.flush()


def _take_the_line() -> tuple[BinaryIO, BinaryIO]:
    """Keep both ends for frames alone; a stray ``print`` goes to standard error."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return source, sink


def _become_a_good_neighbour() -> None:
    warnings.simplefilter("ignore")
    # A parent that is asked to stop finishes its calls first, and then closes the line.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(NICENESS)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):  # where memory runs out, we go before the server does
            Path("/proc/self/oom_score_adj").write_text("800")


def _answer(request: Frame, operations: Mapping[str, Operation], progress: Progress) -> list[bytes]:
    try:
        return frames.encode(_outcome(request, operations, progress))
    except PictureRefused as refusal:
        return _refusal(refusal)
    except Exception as error:  # whatever went wrong, the parent must hear of it
        if _out_of_memory(error):
            return _refusal(ImageTooHeavy("the picture needs more memory than it may use"))
        return _failure(error)


def _outcome(request: Frame, operations: Mapping[str, Operation], progress: Progress) -> Frame:
    match request.body:
        case {
            "operation": str(name),
            "options": dict(options),
            "memory_bytes": int(memory_bytes),
            "cpu_seconds": int(cpu_seconds),
        }:
            _limit(memory_bytes, cpu_seconds)
            outcome = operations[name](request.blobs, options, progress)
            return Frame(kind="done", body=outcome.info, blobs=outcome.blobs)
    raise frames.BrokenFrame("a call lacks a part")


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Bound this call: an allocation beyond fails, a second beyond ends the process (SIGXCPU)."""
    if sys.platform != "win32":
        spent = math.ceil(time.process_time())
        _lower(resource.RLIMIT_AS, memory_bytes)
        _lower(resource.RLIMIT_CPU, spent + cpu_seconds)


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with suppress(ValueError):  # macOS knows the limit of memory by name only
        resource.setrlimit(limit, (soft, hard))


def _reporter(sink: BinaryIO) -> Progress:
    def report(done: float) -> None:
        sink.writelines(frames.encode(Frame(kind="progress", body={"done": float(done)})))
        sink.flush()

    return report


def _refusal(refusal: PictureRefused) -> list[bytes]:
    body: JsonObject = {"code": refusal.code, "message": str(refusal)}
    return frames.encode(Frame(kind="refused", body=body))


def _failure(error: Exception) -> list[bytes]:
    lines = traceback.format_exception(error)
    body: JsonObject = {
        "message": f"{type(error).__name__}: {error}"[:1000],
        "traceback": "".join(lines)[-20_000:],
    }
    return frames.encode(Frame(kind="failed", body=body))


def _out_of_memory(error: Exception) -> bool:
    # OpenCV reports it as an error of its own, or of the C++ library's.
    return (
        isinstance(error, MemoryError)
        or getattr(error, "code", None) == OPENCV_OUT_OF_MEMORY
        or "bad_alloc" in str(error)
    )


if __name__ == "__main__":
    serve(OPERATIONS)
