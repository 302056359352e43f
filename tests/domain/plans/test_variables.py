"""A variable that makes no sense counts as its default."""

import pytest

from medici.domain.plans.models import Scalar
from medici.domain.plans.variables import Tunable, Tunables, Variables

FLAG = Tunable(key="flag", default=True, description="")
COUNT = Tunable(key="count", default=10, minimum=1, maximum=50, description="")
SHARE = Tunable(key="share", default=0.05, minimum=0, maximum=0.2, description="")
WORD = Tunable(
    key="word", default="point", choices=frozenset({"point", "confident"}), description=""
)


class TestRead:
    @pytest.mark.parametrize(
        ("tunable", "stored"),
        [
            (FLAG, False),
            (COUNT, 1),
            (COUNT, 50),
            (SHARE, 0.2),
            (SHARE, 0.0),
            (WORD, "confident"),
        ],
    )
    def test_takes_what_fits(self, tunable: Tunable[Scalar], stored: Scalar) -> None:
        assert Variables({tunable.key: stored})[tunable] == stored

    @pytest.mark.parametrize(
        ("tunable", "stored"),
        [
            (FLAG, 0),
            (FLAG, "false"),
            (COUNT, True),
            (COUNT, 0),
            (COUNT, 51),
            (COUNT, 7.5),
            (COUNT, "7"),
            (COUNT, None),
            (COUNT, 10**400),
            (SHARE, 10**400),
            (SHARE, False),
            (SHARE, float("nan")),
            (SHARE, float("inf")),
            (SHARE, 0.21),
            (WORD, "exact"),
            (WORD, 3),
        ],
    )
    def test_falls_back_to_the_default(self, tunable: Tunable[Scalar], stored: Scalar) -> None:
        assert Variables({tunable.key: stored})[tunable] == tunable.default

    def test_knows_that_json_has_one_kind_of_number(self) -> None:
        variables = Variables({"count": 7.0, "share": 0})

        assert (variables[COUNT], type(variables[COUNT])) == (7, int)
        assert (variables[SHARE], type(variables[SHARE])) == (0.0, float)

    def test_an_absent_one_is_the_default(self) -> None:
        assert Variables()[COUNT] == 10


class TestTunables:
    def test_know_each_key_once(self) -> None:
        assert [each.key for each in Tunables.of((FLAG, COUNT), (SHARE, FLAG))] == [
            "flag",
            "count",
            "share",
        ]
        with pytest.raises(ValueError, match="flag"):
            Tunables.of((FLAG,), (Tunable(key="flag", default=False, description=""),))

    def test_say_what_everything_counts_as(self) -> None:
        variables = Variables({"flag": False, "count": 99, "mine": "a text"})

        assert Tunables.of((FLAG, COUNT)).in_effect(variables) == {
            "count": 10,
            "flag": False,
            "mine": "a text",
        }


class TestTerms:
    def test_name_the_type_and_the_bounds(self) -> None:
        assert FLAG.terms == {"type": "boolean"}
        assert COUNT.terms == {"type": "integer", "minimum": 1, "maximum": 50}
        assert SHARE.terms == {"type": "number", "minimum": 0, "maximum": 0.2}
        assert WORD.terms == {"type": "string", "choices": ["confident", "point"]}
