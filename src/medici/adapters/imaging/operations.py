"""The work that a child can be asked for, by name. Runs in the child only.

Each operation imports what it needs when it is first called: intake costs Pillow alone, and a child
that never restyles never loads OpenCV.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version

from medici.adapters.imaging.frames import Json, JsonObject
from medici.adapters.imaging.pictures import PictureLimits

# By name, because the providers stand on this package and not under it.
RESTYLE_ENGINE = "medici.adapters.providers.local.restyle.engine"
LIBRARIES = ("pillow", "numpy", "opencv-python-headless")

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operation answers: bytes, and what there is to say about them."""

    blobs: Sequence[bytes] = ()
    info: JsonObject


Operation = Callable[[Sequence[bytes], JsonObject, Progress], Outcome]
"""One piece of work. ``Progress`` is told the part that is done, 0 to 1."""


def intake(blobs: Sequence[bytes], options: JsonObject, _progress: Progress) -> Outcome:
    """Sanitise one file; ``options`` are the fields of ``PictureLimits``."""
    from medici.adapters.imaging.intake import sanitise  # noqa: PLC0415 - loads Pillow

    picture = sanitise(blobs[0], _limits(options))
    info: dict[str, Json] = asdict(picture)
    del info["data"]
    return Outcome(blobs=[picture.data], info=info)


def restyle(blobs: Sequence[bytes], options: JsonObject, progress: Progress) -> Outcome:
    """Repaint a room; ``options`` are the fields of ``RestyleOrder``, a second blob is the mask."""
    engine = import_module(RESTYLE_ENGINE)
    order = engine.RestyleOrder(**{name: _frozen(value) for name, value in options.items()})
    image, mask = blobs[0], blobs[1] if len(blobs) > 1 else None
    info = asdict(engine.restyle(image, order, mask=mask, progress=progress))
    return Outcome(blobs=[info.pop("data")], info=info)


def cut_out(blobs: Sequence[bytes], options: JsonObject, _progress: Progress) -> Outcome:
    """Make a mask transparent where it is white; ``options`` are its new width and height."""
    from medici.adapters.imaging.masks import see_through  # noqa: PLC0415 - loads Pillow

    match options:
        case {"width": int(width), "height": int(height)}:
            return Outcome(blobs=[see_through(blobs[0], (width, height))], info={})
    raise TypeError("a mask is cut to a width and a height in whole numbers")


def probe(_blobs: Sequence[bytes], _options: JsonObject, _progress: Progress) -> Outcome:
    """Show that a child can be started, and with which libraries."""
    return Outcome(info={"ok": True, "versions": {name: version(name) for name in LIBRARIES}})


OPERATIONS: Mapping[str, Operation] = {
    "intake": intake,
    "restyle": restyle,
    "cut_out": cut_out,
    "probe": probe,
}


def _limits(options: JsonObject) -> PictureLimits:
    numbers = {name: value for name, value in options.items() if isinstance(value, int)}
    if len(numbers) != len(options):
        raise TypeError("the limits of a picture are whole numbers")
    return PictureLimits(**numbers)


def _frozen(value: Json) -> object:
    return tuple(value) if isinstance(value, list) else value
