"""Windows are put together without a gap and without counting anything twice."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from medici.domain.analytics.spans import Window, parts_of

START = datetime(2026, 11, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 10 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))


class TestParts:
    @given(st.tuples(MOMENTS, MOMENTS).map(sorted), MOMENTS | st.none())
    def test_cover_the_window_once(self, ends: list[datetime], rolled_to: datetime | None) -> None:
        window = Window(since=ends[0], until=ends[1])

        parts = parts_of(window, rolled_to=rolled_to)

        spans = sorted([*parts.days, *parts.hours, *parts.raw], key=lambda span: span.since)
        assert spans[0].since == window.since
        assert spans[-1].until == window.until
        assert all(a.until == b.since for a, b in pairwise(spans))
        whole = sorted([*parts.rolled, *parts.raw], key=lambda span: span.since)
        assert (whole[0].since, whole[-1].until) == (window.since, window.until)
        assert all(a.until == b.since for a, b in pairwise(whole))

    def test_are_days_hours_and_raw_ends(self) -> None:
        def at(day: int, hour: int, minute: int = 0) -> datetime:
            return datetime(2026, 11, day, hour, minute, tzinfo=UTC)

        parts = parts_of(Window(since=at(1, 10, 30), until=at(4, 9, 20)), rolled_to=at(4, 9))

        assert parts.days == (Window(since=at(2, 0), until=at(4, 0)),)
        assert parts.hours == (
            Window(since=at(1, 11), until=at(2, 0)),
            Window(since=at(4, 0), until=at(4, 9)),
        )
        assert parts.rolled == (Window(since=at(1, 11), until=at(4, 9)),)
        assert parts.raw == (
            Window(since=at(1, 10, 30), until=at(1, 11)),
            Window(since=at(4, 9), until=at(4, 9, 20)),
        )
