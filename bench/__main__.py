"""Measure everything and print one table: ``python -m bench``, or ``python -m bench health``."""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import admission, consumes, health, pipeline, restyle, start
from bench.figures import Figure, table
from bench.places import places

OF_A_PLACE = {
    "start": start.measure,
    "admission": admission.measure,
    "consumes": consumes.measure,
    "pipeline": pipeline.measure,
    "health": health.measure,
}


def main(wanted: Sequence[str]) -> None:
    """Run the measurements that were named, or all of them."""
    began_at = time.monotonic()
    print(_machine())
    figures: list[Figure] = []
    with places() as all_places:
        for name, measure in OF_A_PLACE.items():
            for place in all_places if not wanted or name in wanted else ():
                figures += asyncio.run(measure(place))
        if not wanted or "restyle" in wanted:
            figures += asyncio.run(restyle.measure())
    print(table(figures))
    print(f"took {time.monotonic() - began_at:.0f} s; load average now {os.getloadavg()[0]:.1f}")


def _machine() -> str:
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
    return (
        f"{os.cpu_count()} x {cpu}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"load average {os.getloadavg()[0]:.1f} before; client, server and database share it"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
