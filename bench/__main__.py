"""Measure and print one table: ``python -m bench`` for everything, or with the names wanted."""

import argparse
import asyncio
import inspect
import os
import platform
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from bench import (
    admission,
    assignment,
    automation,
    consumes,
    dashboard,
    events,
    experiments,
    gateway,
    health,
    pipeline,
    resets,
    restyle,
    routing,
    start,
    webhooks,
)
from bench.figures import Figure, table
from bench.places import Place, places

Measure: TypeAlias = Callable[[Place], Coroutine[Any, Any, list[Figure]]]
ON_A_DATABASE: dict[str, Measure] = {
    "start": start.measure,
    "admission": admission.measure,
    "consumes": consumes.measure,
    "gateway": gateway.measure,
    "pipeline": pipeline.measure,
    "health": health.measure,
    "resets": resets.measure,
    "events": events.measure,
    "assignment": assignment.measure,
    "automation": automation.measure,
    "dashboard": dashboard.measure,
    "experiments": experiments.measure,
    "webhooks": webhooks.measure,
    "aged": admission.measure_aged,
}
RESTYLE = "restyle"
ROUTING = "routing"
# They take some minutes to grow old.
ONLY_BY_NAME = frozenset({"aged", "automation", "dashboard", "experiments", "resets"})
MEASURES = {**ON_A_DATABASE, RESTYLE: restyle.measure, ROUTING: routing.measure}


def main() -> None:
    """Run the measurements that were named, or all of them."""
    wanted = _wanted()
    began_at = time.monotonic()
    print(_machine(), flush=True)
    figures: list[Figure] = []
    try:
        for measured in _measured(wanted):
            figures += measured
    finally:  # what was measured before something went wrong is worth reading
        print(table(figures))
    print(f"took {time.monotonic() - began_at:.0f} s; load average now {os.getloadavg()[0]:.1f}")


def _measured(wanted: Collection[str]) -> Iterator[list[Figure]]:
    if not ON_A_DATABASE.keys().isdisjoint(wanted):
        with places() as all_places:
            for name, measure in ON_A_DATABASE.items():
                for place in all_places if name in wanted else ():
                    yield asyncio.run(measure(place))
    if RESTYLE in wanted:
        yield asyncio.run(restyle.measure())
    if ROUTING in wanted:
        yield asyncio.run(routing.measure())


def _wanted() -> Collection[str]:
    """Read the names of measurements from the command line; none means all."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures this machine and prints one table; see docs/benchmarks.md.",
        epilog="\n".join(f"{name:10} {_purpose(name)}" for name in MEASURES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help="one of those below; none: all but aged and dashboard and resets",
    )
    names: list[str] = parser.parse_args().names
    if unknown := [name for name in names if name not in MEASURES]:
        parser.error(f"nothing is called {', '.join(unknown)}; there is {', '.join(MEASURES)}")
    return names or MEASURES.keys() - ONLY_BY_NAME


def _purpose(name: str) -> str:
    """Return the sentence that a measurement, or else its module, begins with."""
    of = MEASURES[name] if name in ONLY_BY_NAME else inspect.getmodule(MEASURES[name])
    return (inspect.getdoc(of) or "").partition("\n")[0]


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
    main()
