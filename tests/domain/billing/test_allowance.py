"""Which day it is for credits, and what is owed for it."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.domain.billing.allowance import Owed, Window, allowance_window, owed

TODAY = allowance_window(datetime(2026, 11, 24, 12, tzinfo=UTC), 0, 0)

instants = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
hours = st.integers(0, 23)
minutes = st.integers(0, 59)


class TestAllowanceWindow:
    @pytest.mark.parametrize(
        ("now", "opened_on"),
        [
            (datetime(2026, 11, 24, 6, 29, 59, 999_999, tzinfo=UTC), date(2026, 11, 23)),
            (datetime(2026, 11, 24, 6, 30, tzinfo=UTC), date(2026, 11, 24)),
            (datetime(2028, 2, 29, 3, tzinfo=UTC), date(2028, 2, 28)),
            (datetime(2028, 2, 29, 7, tzinfo=UTC), date(2028, 2, 29)),
            (datetime(2028, 3, 1, 3, tzinfo=UTC), date(2028, 2, 29)),
            (datetime(2027, 1, 1, 0, tzinfo=UTC), date(2026, 12, 31)),
        ],
    )
    def test_is_named_by_the_date_it_opened_on(self, now: datetime, opened_on: date) -> None:
        assert allowance_window(now, 6, 30).schedule_date == opened_on

    def test_lasts_from_one_reset_to_the_next(self) -> None:
        assert allowance_window(datetime(2026, 11, 24, 3, tzinfo=UTC), 6, 30) == Window(
            schedule_date=date(2026, 11, 23),
            starts_at=datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
            ends_at=datetime(2026, 11, 24, 6, 30, tzinfo=UTC),
        )

    def test_counts_in_utc_wherever_the_instant_was_read(self) -> None:
        now = datetime(2026, 11, 25, 1, tzinfo=timezone(timedelta(hours=3)))

        assert allowance_window(now, 0, 0) == TODAY

    @given(instants, hours, minutes)
    def test_holds_its_instant(self, now: datetime, hour: int, minute: int) -> None:
        window = allowance_window(now, hour, minute)

        assert window.starts_at <= now < window.ends_at
        assert window.ends_at - window.starts_at == timedelta(days=1)
        assert window.starts_at.date() == window.schedule_date

    @given(instants, hours, minutes)
    def test_meets_its_neighbours_without_gap_or_overlap(
        self, now: datetime, hour: int, minute: int
    ) -> None:
        window = allowance_window(now, hour, minute)
        last_moment = window.ends_at - timedelta(microseconds=1)

        assert allowance_window(window.starts_at, hour, minute) == window
        assert allowance_window(last_moment, hour, minute) == window
        assert allowance_window(window.ends_at, hour, minute) == Window(
            schedule_date=window.schedule_date + timedelta(days=1),
            starts_at=window.ends_at,
            ends_at=window.ends_at + timedelta(days=1),
        )


BERLIN = "Europe/Berlin"
ZONES = (BERLIN, "Europe/London", "America/New_York", "Pacific/Apia", "Asia/Kathmandu")


class TestWindowOfAZone:
    @pytest.mark.parametrize(
        ("now", "opened_on", "hours"),
        [
            (datetime(2026, 3, 28, 23, tzinfo=UTC), date(2026, 3, 29), 23),
            (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29), 23),
            (datetime(2026, 3, 29, 22, tzinfo=UTC), date(2026, 3, 30), 24),
            (datetime(2026, 10, 24, 22, tzinfo=UTC), date(2026, 10, 25), 25),
            (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25), 25),
            (datetime(2028, 2, 28, 23, tzinfo=UTC), date(2028, 2, 29), 24),
        ],
    )
    def test_is_named_by_its_local_date_however_long_it_is(
        self, now: datetime, opened_on: date, hours: int
    ) -> None:
        window = allowance_window(now, 0, 0, BERLIN)

        assert window.schedule_date == opened_on
        assert window.ends_at - window.starts_at == timedelta(hours=hours)

    def test_opens_late_where_the_day_leaves_its_hour_out(self) -> None:
        window = allowance_window(datetime(2026, 3, 29, 12, tzinfo=UTC), 2, 30, BERLIN)

        assert window.starts_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

    def test_opens_early_where_the_day_has_its_hour_twice(self) -> None:
        window = allowance_window(datetime(2026, 10, 25, 12, tzinfo=UTC), 2, 30, BERLIN)

        assert window.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    @given(instants, hours, minutes, st.sampled_from(ZONES))
    def test_meets_the_next_under_another_name(
        self, now: datetime, hour: int, minute: int, zone: str
    ) -> None:
        window = allowance_window(now, hour, minute, zone)
        following = allowance_window(window.ends_at, hour, minute, zone)

        assert window.starts_at <= now < window.ends_at
        assert following.starts_at == window.ends_at
        assert following.schedule_date > window.schedule_date


class TestOwed:
    def test_is_the_whole_day_at_first(self) -> None:
        assert owed({}, TODAY, plan_id="free", target=3) == Owed(
            source_ref="2026-11-24", target=3, tops_up=False
        )

    def test_is_nothing_once_given(self) -> None:
        assert owed({"2026-11-24": 3}, TODAY, plan_id="free", target=3) is None

    def test_is_more_for_a_better_plan(self) -> None:
        assert owed({"2026-11-24": 3}, TODAY, plan_id="pro", target=80) == Owed(
            source_ref="2026-11-24:pro", target=80, tops_up=True
        )

    def test_is_nothing_for_a_lesser_plan(self) -> None:
        assert owed({"2026-11-24": 80}, TODAY, plan_id="free", target=3) is None

    def test_counts_what_was_added_before(self) -> None:
        given = {"2026-11-24": 3, "2026-11-24:pro": 77}

        assert owed(given, TODAY, plan_id="plus", target=60) is None
        assert owed(given, TODAY, plan_id="max", target=200) == Owed(
            source_ref="2026-11-24:max", target=200, tops_up=True
        )

    def test_is_added_once_for_each_plan(self) -> None:
        given = {"2026-11-24": 3, "2026-11-24:pro": 77}

        assert owed(given, TODAY, plan_id="pro", target=100) is None

    @pytest.mark.parametrize("later", ["2026-11-25", "2026-11-25:pro"])
    def test_is_nothing_after_a_later_day_was_given(self, later: str) -> None:
        assert owed({later: 3}, TODAY, plan_id="pro", target=80) is None
