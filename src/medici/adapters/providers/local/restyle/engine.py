"""Restyles one picture: survey the room, paint what is certain, grade the rest."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import codec, lexicon
from medici.adapters.providers.local.restyle.account import account
from medici.adapters.providers.local.restyle.colour import Flags, to_lab
from medici.adapters.providers.local.restyle.mattes import matte
from medici.adapters.providers.local.restyle.rendering import Parts, Scene, render
from medici.adapters.providers.local.restyle.survey import shrunk, survey

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestyleOrder:
    """What the customer asked for."""

    style: str
    prompt: str = ""
    seed: int = 0
    target_parts: tuple[str, ...] = ("full_room",)  # full_room, walls, floor, furniture, decor
    max_pixels: int = 1_200_000
    quality: int = 90  # of the JPEG, 1..95


@dataclass(frozen=True, slots=True, kw_only=True)
class Restyled:
    """The new picture and an honest account of it."""

    data: bytes
    content_type: str
    width: int
    height: int
    notes: tuple[str, ...]  # sentences for the customer
    painted: tuple[str, ...]  # surfaces that got new colour; empty when only the mood changed
    engine: str = "local/restyle"


def restyle(
    image: bytes,
    order: RestyleOrder,
    mask: bytes | None = None,
    progress: Progress | None = None,
) -> Restyled:
    """Return the picture in another style. The same bytes and order give the same picture.

    Args:
        image: any picture that Pillow reads.
        mask: the customer's own mask, white where paint may go; overrules the survey.
        progress: is told the finished share, 0..1.
    """
    tell = progress or _silence
    cv2.setNumThreads(1)  # the process owns one core; results do not depend on the machine
    pixels = codec.decode(image, order.max_pixels)
    small = shrunk(pixels)
    hint = codec.decode_mask(mask, (small.shape[1], small.shape[0])) if mask is not None else None
    tell(0.1)
    room = survey(pixels, hint)
    tell(0.4)
    look = lexicon.read(order.style, order.prompt, order.seed)
    wanted = Parts.of(order.target_parts)
    made = render(pixels, Scene(room=room, small=small, hint=hint), look, wanted, tell)
    data = codec.encode(made.pixels, order.quality)
    tell(1.0)
    return Restyled(
        data=data,
        content_type="image/jpeg",
        width=pixels.shape[1],
        height=pixels.shape[0],
        notes=account(look, room, wanted, made, masked=hint is not None),
        painted=made.painted,
    )


def wall_mask(image: bytes, max_pixels: int = 1_200_000) -> Flags:
    """Return the walls that would be painted, at the size of the result; all False if in doubt."""
    pixels = codec.decode(image, max_pixels)
    room = survey(pixels)
    if not room.sure:
        return np.zeros(pixels.shape[:2], np.bool_)
    return matte(room.wall_mask, to_lab(pixels)) > 0.5


def _silence(_share: float) -> None:
    return None
