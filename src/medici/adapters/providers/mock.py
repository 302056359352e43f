"""A provider that is no provider: a queue of its own, plain pictures, no cost.

For demonstrations and tests of everything around a real one. Its work is a function of its
reference and the clock, so every process sees the same, and a restart forgets nothing.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from medici.adapters.providers.provider import (
    Artifact,
    CancelOutcome,
    Capabilities,
    Cost,
    Health,
    Observation,
    Phase,
    Recovery,
    Ref,
    Submission,
)
from medici.adapters.providers.request import Operation, RenderRequest
from medici.kernel.clock import Clock, system_clock

WIDTH, HEIGHT = 512, 384


@dataclass(frozen=True, slots=True, kw_only=True)
class MockProvider:
    """Queues for a third of ``duration``, runs for the rest, and always succeeds."""

    duration: timedelta = timedelta(seconds=1)
    clock: Clock = system_clock
    name: str = "mock"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset(Operation),
            accepts_mask=True,
            description="Plain coloured pictures for demonstrations; renders nothing.",
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return Cost(amount_micros=0)

    async def submit(self, request: RenderRequest) -> Submission:
        ref = {
            "reference": request.reference,
            "style": request.style_id,
            "submitted_at": self.clock().isoformat(),
        }
        return Submission(ref=ref, observation=await self.poll(ref))

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        return Recovery.NOT_ACCEPTED

    async def poll(self, ref: Ref) -> Observation:
        elapsed = self.clock() - datetime.fromisoformat(str(ref["submitted_at"]))
        share = 1.0 if not self.duration else min(1.0, elapsed / self.duration)
        if share >= 1:
            return Observation(phase=Phase.SUCCEEDED, progress=1.0, cost=Cost(amount_micros=0))
        if share < 1 / 3:
            return Observation(phase=Phase.QUEUED, progress=0.0, position=0)
        return Observation(phase=Phase.RUNNING, progress=share)

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        picture = plain_png(f"{ref['reference']}:{ref['style']}")
        return (
            Artifact(
                data=picture,
                content_type="image/png",
                width=WIDTH,
                height=HEIGHT,
                own_pixels=True,
            ),
        )

    async def cancel(self, ref: Ref) -> CancelOutcome:
        return CancelOutcome.CANCELED

    async def probe(self) -> Health:
        return Health(ok=True)


def plain_png(text: str) -> bytes:
    """Draw a picture of one colour, chosen by ``text``."""
    colour = hashlib.sha256(text.encode()).digest()[:3]
    rows = (b"\x00" + colour * WIDTH) * HEIGHT
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
