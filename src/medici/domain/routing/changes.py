"""Changing settings in part, and saying in what two of them differ. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from pydantic import JsonValue


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A difference in one field; ``path`` is a JSON pointer to it."""

    path: str
    kind: ChangeKind
    before: JsonValue
    after: JsonValue


def merged(target: JsonValue, patch: JsonValue) -> JsonValue:
    """Apply a JSON merge patch: objects are merged, null removes, all else replaces.

    Source: RFC 7396.
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def differences(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[FieldChange, ...]:
    """Return in which fields two JSON objects differ, by path; lists are compared as a whole."""
    return tuple(_differences("", before, after))


def _differences(
    path: str, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[FieldChange]:
    for name in sorted(before.keys() | after.keys()):
        here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(here, old, new)
        elif name not in before or name not in after or old != new:
            yield FieldChange(
                path=here,
                kind=_kind(name, before, after),
                before=cast("JsonValue", old),
                after=cast("JsonValue", new),
            )


def _kind(name: str, before: Mapping[str, object], after: Mapping[str, object]) -> ChangeKind:
    if name not in before:
        return ChangeKind.ADDED
    return ChangeKind.CHANGED if name in after else ChangeKind.REMOVED
