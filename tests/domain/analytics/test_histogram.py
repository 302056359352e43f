"""Latencies in bins: the same in Python and in SQL, near the truth, and added up anyhow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.histogram import (
    MOST_MS,
    bin_of,
    bin_sql,
    middle_of,
    quantile,
    quantile_of_bins,
)

MILLISECONDS = st.integers(0, MOST_MS)


class TestBin:
    @given(MILLISECONDS)
    def test_has_its_middle_near_whatever_is_in_it(self, latency: int) -> None:
        assert abs(middle_of(bin_of(latency)) - latency) <= max(latency / 64, 0)

    @given(MILLISECONDS, MILLISECONDS)
    def test_rises_with_the_latency(self, one: int, other: int) -> None:
        assert (bin_of(min(one, other))) <= bin_of(max(one, other))

    @pytest.mark.parametrize(
        ("latency", "place"),
        [(0, 0), (63, 63), (64, 64), (65, 64), (127, 95), (128, 96), (-5, 0), (1 << 40, 735)],
    )
    def test_is_of_a_fixed_scale(self, latency: int, place: int) -> None:
        assert bin_of(latency) == place

    async def test_is_the_same_in_the_database(self, session: AsyncSession) -> None:
        edges = [edge for bits in range(29) for edge in ((1 << bits) - 1, 1 << bits)]
        rows = " UNION ALL ".join(f"SELECT {edge} AS ms" for edge in [-1, *edges])
        told = await session.execute(
            select(text("ms"), literal_column(bin_sql("ms"))).select_from(text(f"({rows}) AS told"))
        )
        assert {row[0]: row[1] for row in told} == {ms: bin_of(ms) for ms in [-1, *edges]}


class TestQuantile:
    def test_is_a_value_that_was_measured(self) -> None:
        ordered = list(range(1, 101))
        assert [quantile(ordered, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
        assert (quantile([7], 0.95), quantile([], 0.95)) == (7, None)

    @given(st.lists(MILLISECONDS, min_size=1), st.sampled_from([0.5, 0.95, 0.99]))
    def test_of_bins_is_near_the_exact_one(self, latencies: list[int], share: float) -> None:
        bins: dict[int, int] = {}
        for latency in latencies:
            bins[bin_of(latency)] = bins.get(bin_of(latency), 0) + 1

        exact, found = quantile(sorted(latencies), share), quantile_of_bins(bins, share)

        assert exact is not None
        assert found is not None
        assert abs(found - exact) <= exact / 64

    def test_of_nothing_is_none(self) -> None:
        assert quantile_of_bins({}, 0.5) is None
