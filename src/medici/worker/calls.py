"""Jobs that are called by name from outside."""

from collections.abc import Mapping, Sequence
from typing import Any

from medici.jobs.errors import UnfitArguments
from medici.jobs.handlers import Registry
from medici.jobs.kinds import JobKind


def called_kind(
    registry: Registry, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> JobKind:
    """Return the kind of job that a call names, if it can be put in as it stands.

    Raises:
        UnknownJobKind: there is none of that name.
        UnfitArguments: it does not take these.
    """
    handler = registry.handler(name)
    if args:
        raise UnfitArguments(f"{name} takes its arguments by name, none by position")
    handler.check(kwargs)
    return handler.kind
