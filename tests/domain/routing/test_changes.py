"""Changing a part, and saying what changed."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from medici.domain.routing.changes import ChangeKind, FieldChange, differences, merged

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


def objects(values: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[dict[str, JsonValue]]:
    return st.dictionaries(st.text(max_size=3), values, max_size=4)


documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | objects(inner), max_leaves=8
)


class TestMerged:
    @pytest.mark.parametrize(
        ("target", "patch", "result"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            ({"a": "foo"}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
            (["a", "b"], ["c"], ["c"]),
            ({"a": "b"}, None, None),
        ],
    )
    def test_is_a_merge_patch(self, target: JsonValue, patch: JsonValue, result: JsonValue) -> None:
        assert merged(target, patch) == result

    @given(documents, documents)
    def test_twice_is_once(self, target: JsonValue, patch: JsonValue) -> None:
        once = merged(target, patch)

        assert merged(once, patch) == once

    def test_leaves_what_it_was_given_alone(self) -> None:
        target: dict[str, JsonValue] = {"a": {"b": 1}}

        merged(target, {"a": {"b": 2}})

        assert target == {"a": {"b": 1}}


class TestDifferences:
    def test_names_each_field_by_its_path(self) -> None:
        before = {"a": 1, "b": {"c/d": [1], "same": 0}, "gone": "x"}
        after = {"a": 2, "b": {"c/d": [1, 2], "same": 0}, "new": None}

        assert differences(before, after) == (
            FieldChange(path="/a", kind=ChangeKind.CHANGED, before=1, after=2),
            FieldChange(path="/b/c~1d", kind=ChangeKind.CHANGED, before=[1], after=[1, 2]),
            FieldChange(path="/gone", kind=ChangeKind.REMOVED, before="x", after=None),
            FieldChange(path="/new", kind=ChangeKind.ADDED, before=None, after=None),
        )

    @given(objects(cast("st.SearchStrategy[JsonValue]", documents)))
    def test_are_none_between_a_thing_and_itself(self, content: dict[str, JsonValue]) -> None:
        assert differences(content, dict(content)) == ()
