"""Handlers, their arguments, and the registry that finds them."""

from datetime import datetime
from enum import StrEnum
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from medici.jobs import tasks
from medici.jobs.arguments import Parameters
from medici.jobs.errors import UnfitArguments, UnknownJobKind
from medici.jobs.handlers import Registry, handles
from medici.jobs.kinds import JobKind
from medici.jobs.run import Run
from medici.kernel.ids import new_id
from tests.jobs.work import NOW, Bench

KIND = JobKind(name="tests.kind")


class Colour(StrEnum):
    RED = "red"


async def painted(
    run: Run[Bench], *, user_id: UUID, at: datetime, count: int, colour: Colour = Colour.RED
) -> None:
    """Stand for a handler with many sorts of arguments."""


def module(**names: Any) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(names)
    return made


class TestParameters:
    async def test_are_read_by_their_annotations(self) -> None:
        user_id = new_id()

        read = Parameters(painted).read(
            {"user_id": str(user_id), "at": NOW.isoformat(), "count": 3, "colour": "red"}
        )

        assert read == {"user_id": user_id, "at": NOW, "count": 3, "colour": Colour.RED}

    @pytest.mark.parametrize(
        ("stored", "complaint"),
        [
            ({"user_id": str(new_id()), "at": "2026-01-01"}, "missing or unknown: count"),
            (
                {"user_id": str(new_id()), "at": "2026-01-01", "count": 1, "size": 2},
                "missing or unknown: size",
            ),
            ({"user_id": "x", "at": "2026-01-01", "count": 1}, "user_id is not of its type"),
        ],
    )
    async def test_are_refused_where_they_do_not_fit(
        self, stored: dict[str, object], complaint: str
    ) -> None:
        with pytest.raises(UnfitArguments, match=f"^{complaint}$"):
            Parameters(painted).read(stored)

    async def test_must_be_keywords(self) -> None:
        async def positional(run: Run[Bench], user_id: UUID) -> None: ...

        with pytest.raises(TypeError, match="keywords alone"):
            Parameters(positional)


class TestHandles:
    async def test_wants_last_words_to_take_the_same_and_a_reason(self) -> None:
        async def words(run: Run[Bench], *, reason: str) -> None: ...

        with pytest.raises(TypeError, match=r"last words of tests\.kind"):
            handles(KIND, buried=words)(painted)


class TestRegistry:
    async def test_collects_the_handlers_and_schedules_of_modules(self) -> None:
        handler = handles(KIND)(painted)

        registry = Registry.of(module(handler=handler, kind=KIND), module(same=handler), tasks)

        assert registry.handler("tests.kind") is handler
        assert [kind.name for kind in registry.kinds] == ["tests.kind", "medici.jobs.sweep"]
        assert [schedule.name for schedule in registry.schedules] == ["medici.jobs.sweep"]

    async def test_refuses_two_handlers_of_one_kind(self) -> None:
        with pytest.raises(ValueError, match=r"two handlers of tests\.kind"):
            Registry.of(module(one=handles(KIND)(painted), two=handles(KIND)(painted)))

    async def test_names_a_kind_that_it_does_not_know(self) -> None:
        with pytest.raises(UnknownJobKind, match=r"tests\.kind"):
            Registry([]).handler("tests.kind")
