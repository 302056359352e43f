"""A child like the real one, with operations that misbehave in every way a library could."""

import os
import signal
from collections.abc import Sequence
from threading import Event

from medici.adapters.imaging.child import serve
from medici.adapters.imaging.errors import UndecodableImage
from medici.adapters.imaging.frames import JsonObject
from medici.adapters.imaging.operations import OPERATIONS, Outcome, Progress


def echo(blobs: Sequence[bytes], options: JsonObject, progress: Progress) -> Outcome:
    progress(0.25)
    progress(1)
    return Outcome(blobs=blobs, info={"options": options})


def noisy(blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    print("a library that talks")  # noqa: T201 - the misbehaviour itself
    os.write(1, b"and one that writes past Python")
    return Outcome(blobs=blobs, info={})


def hang(_blobs: Sequence[bytes], _options: JsonObject, progress: Progress) -> Outcome:
    progress(0.5)
    Event().wait()
    return Outcome(info={})


def spin(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    while True:
        pass


def hog(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    return Outcome(info={"size": len(bytearray(1 << 31))})


def flood(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    return Outcome(blobs=[b""] * 17, info={})


def crash(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    os.kill(os.getpid(), signal.SIGSEGV)
    return Outcome(info={})


def refuse(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    raise UndecodableImage("no picture")


def stumble(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    raise LookupError("a fault of ours")


def circumstances(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    return Outcome(info={"environment": sorted(os.environ), "niceness": os.nice(0)})


if __name__ == "__main__":
    misbehaviour = (
        echo,
        noisy,
        hang,
        spin,
        hog,
        flood,
        crash,
        refuse,
        stumble,
        circumstances,
    )
    serve({**OPERATIONS, **{operation.__name__: operation for operation in misbehaviour}})
