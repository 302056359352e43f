"""One request to the fake's API, with its parameters read."""

from collections.abc import Mapping
from dataclasses import dataclass

from medici.fakes.stripe.params import Record
from medici.fakes.stripe.problems import Problem, required


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """``ids`` are those of the path, ``base`` is where the fake was reached."""

    ids: Mapping[str, str]
    params: Record
    base: str

    @property
    def id(self) -> str:
        return self.ids["id"]

    def text(self, name: str) -> str | None:
        found = self.params.get(name)
        return found if isinstance(found, str) and found else None

    def needed(self, name: str) -> str:
        found = self.text(name)
        if found is None:
            raise required(name)
        return found

    def number(self, name: str) -> int | None:
        return whole_number(name, self.params.get(name))

    def flag(self, name: str) -> bool | None:
        found = self.text(name)
        return None if found is None else found == "true"

    def nested(self, name: str) -> Record:
        found = self.params.get(name)
        return found if isinstance(found, dict) else {}

    def several(self, name: str) -> list[Record]:
        found = self.params.get(name)
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def texts(self, name: str) -> list[str]:
        found = self.params.get(name)
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def whole_number(name: str, found: object) -> int | None:
    if found is None or found == "":
        return None
    try:
        return int(str(found))
    except ValueError:
        raise Problem(f"Invalid integer: {found}", param=name) from None
