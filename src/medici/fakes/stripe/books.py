"""Every object that the fake knows, as plain records in the shape of the newest version.

A name that begins with an underscore is the fake's own and never leaves it. References are ids.
"""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from medici.fakes.plane import Plane
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.problems import missing


class Books:
    """``livemode`` follows the key of whoever asked last; one fake plays one world at a time."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.livemode = False
        self._objects: dict[str, Record] = {}

    def now(self) -> int:
        return int(self.plane.now().timestamp())

    def new(self, kind: str, prefix: str, fields: Record) -> Record:
        """Write a new object down; ``fields`` may bring an id of their own."""
        made = {
            "id": f"{prefix}_{self.plane.new_id().replace('-', '')[:24]}",
            "object": kind,
            "created": self.now(),
            "livemode": self.livemode,
            **fields,
        }
        self._objects[made["id"]] = made
        return made

    def find(self, object_id: Any) -> Record | None:
        return self._objects.get(object_id) if isinstance(object_id, str) else None

    def get(self, kind: str, object_id: str) -> Record:
        """Return an object of a kind; refuse where there is none."""
        found = self._objects.get(object_id)
        if found is None or found["object"] != kind:
            raise missing(kind.replace(".", " "), object_id)
        return found

    def all(self, kind: str, **wanted: Any) -> list[Record]:
        """Return the objects of a kind that have these fields, the newest first."""
        return [
            each
            for each in reversed(self._objects.values())
            if each["object"] == kind
            and all(each.get(name) == value for name, value in wanted.items() if value is not None)
        ]

    def told(self, record: Record, expand: Iterable[str] = ()) -> Record:
        """Copy an object as it is told: whole prices, ``expand`` carried out, nothing private."""
        copy = self._copied(record)
        for path in expand:
            self._expand(copy, path.split("."))
        told: Record = _clean(copy)
        return told

    def _copied(self, record: Record) -> Record:
        copy = deepcopy(record)
        if copy["object"] == "subscription":
            for item in copy["items"]["data"]:
                item["price"] = deepcopy(self._objects[item["price"]])
        return copy

    def _expand(self, told: Any, path: list[str]) -> None:
        """Put whole objects where ``path`` leads to ids, or to what is left out by default."""
        if isinstance(told, list):
            for each in told:
                self._expand(each, path)
        elif isinstance(told, dict) and path:
            name, *rest = path
            if f"_{name}" in told:
                told[name] = told[f"_{name}"]
            elif (found := self.find(told.get(name))) is not None:
                told[name] = self._copied(found)
            self._expand(told.get(name), rest)


def listing(data: list[Record], url: str, *, has_more: bool = False) -> Record:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _clean(each) for name, each in value.items() if not name.startswith("_")}
    return [_clean(each) for each in value] if isinstance(value, list) else value
