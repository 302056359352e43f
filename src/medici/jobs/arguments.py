"""A handler's keyword arguments: learnt from its signature, read from what a job stored."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from medici.jobs.errors import UnfitArguments


class Parameters:
    """The keyword arguments that a function takes, with their types."""

    def __init__(self, function: Callable[..., object]) -> None:
        listed = list(inspect.signature(function, eval_str=True).parameters.values())
        if not listed or any(one.kind is not one.KEYWORD_ONLY for one in listed[1:]):
            raise TypeError(f"{function.__qualname__} must take its run, then keywords alone")
        self.names = frozenset(one.name for one in listed[1:])
        self._needed = frozenset(one.name for one in listed[1:] if one.default is one.empty)
        self._types = {one.name: TypeAdapter[Any](one.annotation) for one in listed[1:]}

    def read(self, stored: Mapping[str, object]) -> dict[str, Any]:
        """Turn stored arguments into those that the function takes.

        Raises:
            UnfitArguments: one is missing, unknown, or not of its type.
        """
        given = frozenset(stored)
        if unfit := sorted((self._needed - given) | (given - self.names)):
            raise UnfitArguments(f"missing or unknown: {', '.join(unfit)}")
        return {name: self._read_one(name, value) for name, value in stored.items()}

    def _read_one(self, name: str, value: object) -> Any:
        try:
            return self._types[name].validate_python(value)
        except ValidationError as error:
            raise UnfitArguments(f"{name} is not of its type") from error
