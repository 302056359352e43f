"""What one picture of the local provider costs in processor time."""

import io

from PIL import Image

from bench.figures import Figure
from bench.health import PHOTO
from bench.places import cpu_seconds
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.providers.local.provider import LocalProvider
from medici.adapters.providers.request import InputImage, Operation, Part, RenderRequest, Tier

ROUNDS = 3
WIDTH, HEIGHT = 1024, 768


async def measure() -> list[Figure]:
    """Restyle a photo in one warm child process, which keeps to one core."""
    seconds: list[float] = []
    async with ImageProcess() as painters:
        provider, request = LocalProvider(painters), _request()
        await provider.submit(request)
        (pid,) = painters.process_ids
        for _ in range(ROUNDS):
            used = cpu_seconds(pid)
            await provider.submit(request)
            seconds.append(cpu_seconds(pid) - used)
    return [
        Figure(
            what=f"local/restyle {WIDTH}x{HEIGHT}, CPU of one core",
            where="image process",
            unit="s",
            rounds=seconds,
        )
    ]


def _request() -> RenderRequest:
    sized = io.BytesIO()
    Image.open(PHOTO).convert("RGB").resize((WIDTH, HEIGHT)).save(sized, "JPEG", quality=90)
    return RenderRequest(
        reference="bench",
        operation=Operation.RESTYLE,
        tier=Tier.FINAL,
        model="local/restyle",
        image=InputImage(data=sized.getvalue(), content_type="image/jpeg"),
        mask=None,
        style_id="scandinavian",
        prompt="",
        wishes=(),
        target_parts=(Part.FULL_ROOM,),
        max_pixels=WIDTH * HEIGHT,
    )
