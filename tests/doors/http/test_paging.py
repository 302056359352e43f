import pytest

from medici.doors.http.paging import InvalidCursor, decode_cursor, encode_cursor


class TestCursor:
    @pytest.mark.parametrize("places", [("2026-11-24", 7), ("é\u2028", 0), ("", -1)])
    def test_comes_back_as_it_was_written(self, places: tuple[str, int]) -> None:
        cursor = encode_cursor(*places)

        assert decode_cursor(cursor, str, int) == places
        assert cursor.isascii()

    @pytest.mark.parametrize(
        "cursor",
        ["", "!", "é", "bnVsbA", "W10", "WzFd", "WyJhIiwgdHJ1ZV0", "WyJhIiwgMSwgMl0", "W" * 400],
    )
    def test_of_anybody_else_is_refused(self, cursor: str) -> None:
        with pytest.raises(InvalidCursor):
            decode_cursor(cursor, str, int)
