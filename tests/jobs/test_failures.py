"""What an error means for its job."""

import pytest

from medici.jobs.errors import LeaseLost, RunTimedOut, UnfitArguments, UnknownJobKind
from medici.jobs.failures import Failure, failure_of, wait_seconds
from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.errors import Kind, MediciError
from medici.kernel.ids import new_id


class Limited(MediciError):
    kind = Kind.RATE_LIMITED
    code = "limited"
    retry_after_seconds = 30.0


def failure(first_wait_seconds: float = 2.0, retry_after_seconds: float = 0.0) -> Failure:
    return Failure(
        code="busy",
        message="",
        first_wait_seconds=first_wait_seconds,
        retry_after_seconds=retry_after_seconds,
    )


class TestFailureOf:
    @pytest.mark.parametrize(
        ("error", "first_wait_seconds"),
        [
            (DatabaseUnavailable(), 2.0),
            (RunTimedOut(3), 2.0),
            (UnknownJobKind("x"), 2.0),
            (Limited(), 5.0),
            (MediciError(), 5.0),
            (KeyError("x"), 5.0),
            (TimeoutError(), 5.0),
            (UnfitArguments("x"), None),
            (LeaseLost(new_id()), None),
        ],
    )
    async def test_says_whether_another_try_makes_sense(
        self, error: Exception, first_wait_seconds: float | None
    ) -> None:
        assert failure_of(error).first_wait_seconds == first_wait_seconds

    async def test_looks_into_groups(self) -> None:
        group = ExceptionGroup("tasks", [ExceptionGroup("inner", [UnfitArguments("x")])])

        assert failure_of(group).code == "unfit_job_arguments"

    async def test_bounds_the_message(self) -> None:
        assert len(failure_of(MediciError("x" * 10_000)).message) == 500

    async def test_keeps_no_character_that_a_database_refuses(self) -> None:
        assert failure_of(MediciError("a\x00b")).message == "ab"


class TestWaitSeconds:
    @pytest.mark.parametrize(("attempts", "widest"), [(1, 2.0), (2, 6.0), (3, 18.0), (9, 300.0)])
    async def test_grows_to_a_limit(self, attempts: int, widest: float) -> None:
        assert wait_seconds(failure(), attempts=attempts, draw=1.0) == widest

    async def test_is_spread_from_nothing_to_the_whole(self) -> None:
        assert wait_seconds(failure(), attempts=2, draw=0.0) == 0.0
        assert wait_seconds(failure(), attempts=2, draw=0.5) == 3.0

    async def test_respects_what_the_other_side_asked_for(self) -> None:
        asked = failure(first_wait_seconds=5.0, retry_after_seconds=30.0)

        assert wait_seconds(asked, attempts=1, draw=0.0) == 30.0
        assert wait_seconds(asked, attempts=1, draw=1.0) == 35.0
