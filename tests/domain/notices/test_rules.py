"""The schedule of tries, and what is sent."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

import pytest

from medici.domain.notices import rules
from medici.domain.notices.models import DisabledBecause, WebhookEndpoint
from medici.domain.notices.notice import Notice, NoticeType

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)
DAY = timedelta(days=1)


def waits(delivery_id: UUID) -> list[timedelta]:
    """Return how long a delivery waits after each try until it is given up."""
    found = []
    tries = 1
    while (at := rules.next_attempt_at(delivery_id, tries=tries, now=NOW)) is not None:
        found.append(at - NOW)
        tries += 1
    return found


def notice(data: Mapping[str, object]) -> Notice:
    return Notice(type=NoticeType.CREDITS_GRANTED, subject="user:ada", data=data)


def endpoint(failures: int, since: datetime | None) -> WebhookEndpoint:
    return WebhookEndpoint(failures_in_a_row=failures, failing_since=since)


class TestNextAttempt:
    def test_gives_ten_tries_within_about_three_days(self) -> None:
        for number in range(100):
            made = waits(UUID(int=number))

            assert len(made) == 9
            assert timedelta(days=2.8) < sum(made, timedelta()) < timedelta(days=3.2)

    def test_waits_longer_each_time_and_never_less_than_the_schedule(self) -> None:
        made = waits(FIRST)

        assert list(rules.WAITS) == sorted(rules.WAITS)
        assert all(a <= b < a * 1.1 for a, b in zip(rules.WAITS, made, strict=True))

    def test_keeps_one_delivery_to_one_rhythm_and_two_apart(self) -> None:
        assert waits(FIRST) == waits(FIRST)
        assert all(a != b for a, b in zip(waits(FIRST), waits(SECOND), strict=True))


class TestIsTaken:
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
    def test_by_any_success(self, status: int) -> None:
        assert rules.is_taken(status)

    @pytest.mark.parametrize("status", [None, 100, 199, 300, 302, 304, 400, 410, 429, 500])
    def test_by_nothing_else(self, status: int | None) -> None:
        assert not rules.is_taken(status)


class TestReasonToDisable:
    def test_is_that_it_is_gone(self) -> None:
        assert rules.reason_to_disable(endpoint(1, NOW), 410, now=NOW) is DisabledBecause.GONE

    @pytest.mark.parametrize(
        ("failures", "since", "reason"),
        [
            (10, NOW - DAY, DisabledBecause.FAILING),
            (10, NOW - DAY + timedelta(seconds=1), None),
            (9, NOW - 30 * DAY, None),
            (10_000, NOW - DAY / 2, None),
            (10, None, None),
        ],
    )
    def test_is_ten_failures_in_a_row_over_a_day(
        self, failures: int, since: datetime | None, reason: DisabledBecause | None
    ) -> None:
        assert rules.reason_to_disable(endpoint(failures, since), 500, now=NOW) is reason


class TestBody:
    def test_is_type_time_and_data(self) -> None:
        body = rules.body_of(notice({"credits": 5, "at": NOW, "id": FIRST}), now=NOW)

        assert body == (
            '{"type":"credits.granted","timestamp":"2026-11-24T12:00:00Z","data":'
            '{"credits":5,"at":"2026-11-24T12:00:00Z",'
            '"id":"00000000-0000-0000-0000-000000000001"}}'
        )

    def test_takes_any_mapping(self) -> None:
        data = MappingProxyType({"nested": MappingProxyType({"deep": [1]})})

        assert json.loads(rules.body_of(notice(data), now=NOW))["data"] == {"nested": {"deep": [1]}}

    def test_refuses_what_is_no_json(self) -> None:
        with pytest.raises(TypeError):
            rules.body_of(notice({"secret": object()}), now=NOW)

    def test_that_is_too_large_says_whom_to_ask_about(self) -> None:
        body = rules.body_of(notice({"text": "x" * rules.LARGEST_BODY}), now=NOW)

        assert json.loads(body)["data"] == {"subject": "user:ada", "omitted": True}
