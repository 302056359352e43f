"""Walking through a running server step by step, telling each step with its time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, NoReturn, TypeVar

import typer

from medici.cli.visited import FAILURES, UnexpectedAnswer

V = TypeVar("V")


class Step(NamedTuple, Generic[V]):
    """One thing that a visitor does; it tells in a few words what it found."""

    name: str
    act: Callable[[V], Awaitable[str]]


async def walk(visit: V, steps: Sequence[Step[V]], *, patience: float) -> None:
    """Take all steps, each relying on those before it; exit 1 at the first that fails."""
    for step in steps:
        await _take(visit, step, patience)
    typer.echo(f"all {len(steps)} steps passed")


def expect(found: object, wanted: object, what: str) -> None:
    """Insist on what a step found."""
    if found != wanted:
        raise UnexpectedAnswer(f"{what} is {found!r}, not {wanted!r}")


async def _take(visit: V, step: Step[V], patience: float) -> None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            told = await step.act(visit)
    except TimeoutError:
        _fail(step.name, f"no end within {patience:g} s")
    except KeyError as missing:
        _fail(step.name, f"the answer lacks {missing}")
    except FAILURES as error:
        _fail(step.name, str(error))
    milliseconds = (time.monotonic() - began) * 1000
    typer.echo(f"✓ {step.name:<17} {milliseconds:7.0f} ms  {told}")


def _fail(name: str, reason: str) -> NoReturn:
    typer.secho(f"✗ {name}: {reason}", fg="red", err=True)
    raise typer.Exit(1)
