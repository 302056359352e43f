"""Times and objects from outside, as every door and every store's relay reads them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from medici.kernel.incoming import Metadata, Moment

MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
METADATA: TypeAdapter[dict[str, Any]] = TypeAdapter(Metadata)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class TestMoment:
    @pytest.mark.parametrize(
        "written",
        [
            "2026-11-24T12:00:00Z",
            "2026-11-24T12:00:00",  # without a zone it is UTC
            "2026-11-24T13:30:00+01:30",
            1_795_521_600,
        ],
    )
    def test_is_in_utc(self, written: str | int) -> None:
        read = MOMENT.validate_python(written)

        assert (read, read.tzinfo) == (NOON, UTC)

    @pytest.mark.parametrize(
        "written", ["", "soon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", None, []]
    )
    def test_is_refused_where_there_is_none(self, written: object) -> None:
        with pytest.raises(ValidationError):
            MOMENT.validate_python(written)


class TestMetadata:
    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"deep": [{"list": [1, 2.5, None, True, "é", "😀"]}]},
            {"words that look like an escape": "\\u0000", "": "\\ud800"},
        ],
    )
    def test_is_what_was_said(self, said: dict[str, Any]) -> None:
        assert METADATA.validate_python(said) == said

    @pytest.mark.parametrize(
        "said",
        [
            {"a": "nul \x00"},
            {"nul \x00": 1},
            {"deep": [{"a": "\ud800"}]},
            {"\udfff": 1},
            {"a": [float("nan")]},
            {"a": float("inf")},
        ],
    )
    def test_is_refused_where_nothing_can_keep_it(self, said: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            METADATA.validate_python(said)
