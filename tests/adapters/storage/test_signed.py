"""A signed link opens one file, for one owner, in one way, until its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medici.adapters.storage.errors import InvalidSignature, LifetimeTooLong, SignatureExpired
from medici.adapters.storage.signed import Disposition, Subject, sign, verify
from medici.kernel.errors import Kind

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
OLD, NEW = b"o" * 32, b"n" * 32
SUBJECT = Subject(path="/files/uploads/a.png", owner="user:0198f0a4")


def link(
    subject: Subject = SUBJECT,
    *,
    disposition: Disposition = Disposition.INLINE,
    keys: tuple[bytes, ...] = (OLD,),
) -> str:
    return sign(subject, disposition=disposition, keys=keys, now=NOW, lifetime=HOUR)


def refused(query: str, subject: Subject = SUBJECT) -> bool:
    try:
        verify(subject, query, keys=[OLD], now=NOW)
    except InvalidSignature:
        return True
    return False


class TestSign:
    def test_makes_a_query_of_three_parameters(self) -> None:
        parameters = dict(parse_qsl(link()))

        assert parameters.keys() == {"expires", "disposition", "signature"}
        assert parameters["expires"] == str(int(NOW.timestamp()) + 3600)
        assert parameters["disposition"] == "inline"

    def test_refuses_more_than_an_hour(self) -> None:
        with pytest.raises(LifetimeTooLong) as refused:
            sign(
                SUBJECT,
                disposition=Disposition.INLINE,
                keys=[OLD],
                now=NOW,
                lifetime=HOUR + SECOND,
            )

        assert (refused.value.code, refused.value.kind) == ("link_lifetime_too_long", Kind.INVALID)

    def test_allows_more_where_a_purpose_says_so(self) -> None:
        query = sign(
            SUBJECT,
            disposition=Disposition.INLINE,
            keys=[OLD],
            now=NOW,
            lifetime=timedelta(days=7),
            longest=timedelta(days=7),
        )

        assert verify(SUBJECT, query, keys=[OLD], now=NOW + timedelta(days=6)) is Disposition.INLINE


class TestVerify:
    @pytest.mark.parametrize("disposition", Disposition)
    def test_tells_how_to_serve_the_file(self, disposition: Disposition) -> None:
        query = link(disposition=disposition)

        assert verify(SUBJECT, query, keys=[OLD], now=NOW) is disposition

    def test_holds_until_one_second_before_the_end(self) -> None:
        assert verify(SUBJECT, link(), keys=[OLD], now=NOW + HOUR - SECOND)

    @pytest.mark.parametrize("late", [timedelta(0), SECOND, timedelta(days=400)])
    def test_ends(self, late: timedelta) -> None:
        with pytest.raises(SignatureExpired) as expired:
            verify(SUBJECT, link(), keys=[OLD], now=NOW + HOUR + late)

        assert (expired.value.code, expired.value.kind) == ("signature_expired", Kind.FORBIDDEN)

    @pytest.mark.parametrize(
        "other",
        [
            replace(SUBJECT, path="/files/uploads/b.png"),
            replace(SUBJECT, path="/files/uploads/a.png/"),
            replace(SUBJECT, owner="user:0198f0a5"),
            replace(SUBJECT, owner=""),
            replace(SUBJECT, method="DELETE"),
            # The same characters, cut elsewhere.
            replace(SUBJECT, path="/files/uploads/a.pn", owner="guser:0198f0a4"),
        ],
    )
    def test_opens_nothing_else(self, other: Subject) -> None:
        with pytest.raises(InvalidSignature) as refused:
            verify(other, link(), keys=[OLD], now=NOW)

        assert (refused.value.code, refused.value.kind) == ("invalid_signature", Kind.FORBIDDEN)

    def test_refuses_a_change_of_any_character(self) -> None:
        query = link()

        for at, character in enumerate(query):
            for other in "0aZ-_&=%+.":
                if other != character:
                    assert refused(query[:at] + other + query[at + 1 :]), (at, other)

    def test_refuses_a_query_cut_short_or_drawn_out(self) -> None:
        query = link()

        assert all(refused(query[:end]) for end in range(len(query)))
        assert all(refused(query + more) for more in ("0", "=", "&", "&a=b", "%00", "\0", "#"))

    def test_refuses_a_parameter_given_twice(self) -> None:
        for part in link().split("&"):
            assert refused(f"{link()}&{part}")
            assert refused(f"{part}&{link()}")

    def test_refuses_another_way_to_write_the_same_end(self) -> None:
        expires = dict(parse_qsl(link()))["expires"]

        for written in (f"0{expires}", f"%20{expires}", f"{expires}.0", f"%2B{expires}"):
            assert refused(link().replace(expires, written))

    def test_refuses_a_later_end(self) -> None:
        expires = int(dict(parse_qsl(link()))["expires"])

        assert refused(link().replace(str(expires), str(expires + 1)))

    def test_refuses_another_disposition(self) -> None:
        assert refused(link().replace("inline", "attachment"))

    @settings(max_examples=300, deadline=None)
    @given(st.text(max_size=250))
    def test_refuses_any_other_text(self, query: str) -> None:
        assert refused(query)

    def test_outlives_a_rotation_of_keys(self) -> None:
        query = link(keys=(OLD,))

        assert verify(SUBJECT, query, keys=[NEW, OLD], now=NOW)

    def test_signs_with_the_newest_key(self) -> None:
        query = link(keys=(NEW, OLD))

        assert verify(SUBJECT, query, keys=[NEW], now=NOW)
        assert refused(query)

    def test_ends_with_its_key(self) -> None:
        with pytest.raises(InvalidSignature):
            verify(SUBJECT, link(), keys=[NEW], now=NOW)

    def test_without_keys_opens_nothing(self) -> None:
        with pytest.raises(InvalidSignature):
            verify(SUBJECT, link(), keys=[], now=NOW)
