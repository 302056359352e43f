"""`.env.example` and the settings tell of the same variables and the same defaults."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from medici.settings import Settings

LINES = (Path(__file__).parents[1] / ".env.example").read_text().splitlines()
VARIABLE = re.compile(r"# (?P<setting>(?P<name>[A-Z][A-Z0-9_]*)=.*)")


def offered() -> list[re.Match[str]]:
    return [found for line in LINES if (found := VARIABLE.fullmatch(line))]


def names_of(field: str, info: FieldInfo) -> Iterator[str]:
    """Give every name under which the environment sets a field."""
    if isinstance(info.validation_alias, AliasChoices):
        yield from (str(name) for name in info.validation_alias.choices)
    else:
        yield field.upper()


def known() -> list[str]:
    fields = Settings.model_fields.items()
    return [name for field, info in fields for name in names_of(field, info)]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that sets nothing of ours."""
    for name in known():
        monkeypatch.delenv(name, raising=False)


class TestEnvExample:
    def test_lists_every_variable_once(self) -> None:
        assert sorted(found["name"] for found in offered()) == sorted(known())

    def test_explains_each_variable_on_the_line_before(self) -> None:
        explained = [
            before.startswith("# ") and not VARIABLE.fullmatch(before)
            for before, line in pairwise(LINES)
            if VARIABLE.fullmatch(line)
        ]

        assert explained == [True] * len(offered())

    def test_sets_nothing_by_itself(self) -> None:
        assert [line for line in LINES if line and not line.startswith("#")] == []

    def test_shows_the_defaults(self, bare: None, tmp_path: Path) -> None:
        uncommented = tmp_path / ".env"
        uncommented.write_text("\n".join(found["setting"] for found in offered()))

        assert Settings(_env_file=uncommented) == Settings(_env_file=None)
