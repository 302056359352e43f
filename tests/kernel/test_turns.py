"""So many at once for each key; the others hear when to ask again."""

from datetime import UTC, datetime, timedelta

from medici.kernel.turns import Turns

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def asked(turns: Turns, key: str = "a", *, draw: float = 0.0, now: datetime = NOW) -> float | None:
    """Ask for one of two turns; return in how many seconds to ask again."""
    later = turns.take(key, most=2, draw=draw, now=now)
    return None if later is None else (later - now).total_seconds()


class TestTurns:
    def test_are_so_many_at_once(self) -> None:
        turns = Turns()

        assert [asked(turns), asked(turns), asked(turns)] == [None, None, 0.5]

    def test_of_one_key_are_no_others(self) -> None:
        turns = Turns()
        asked(turns), asked(turns)

        assert (asked(turns), asked(turns, "b")) == (0.5, None)

    def test_are_free_again_once_given_back(self) -> None:
        turns = Turns()
        asked(turns), asked(turns)

        turns.give_back("a", took=SECOND)

        assert [asked(turns), asked(turns)] == [None, 0.5]

    def test_are_promised_at_the_pace_at_which_they_end(self) -> None:
        turns = Turns()
        asked(turns), asked(turns)
        turns.give_back("a", took=4 * SECOND)
        asked(turns)

        waits = [asked(turns) for _ in range(3)]

        assert waits == [2.0, 4.0, 6.0]
        assert asked(turns, now=NOW + 5 * SECOND) == 3.0

    def test_are_asked_for_within_a_minute_however_long_the_line_is(self) -> None:
        turns = Turns()
        asked(turns), asked(turns)
        for _ in range(120):
            asked(turns)

        assert [asked(turns, draw=draw) for draw in (0.0, 0.5, 1.0)] == [30.0, 45.0, 60.0]

    def test_keep_no_memory_of_those_who_are_done(self) -> None:
        turns = Turns()
        asked(turns)
        turns.give_back("a", took=9 * SECOND)

        assert [asked(turns), asked(turns), asked(turns)] == [None, None, 0.5]
