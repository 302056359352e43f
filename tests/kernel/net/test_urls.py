"""Judging URLs: what is refused, for which reason, and that the rest goes out as it came."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.kernel.net.addresses import is_public
from medici.kernel.net.errors import Reason, UnsafeUrl
from medici.kernel.net.hosts import is_literal
from medici.kernel.net.urls import check_url, follow
from tests.attacks.addresses import TRICKY_URLS, private_hosts

NOBODY: frozenset[str] = frozenset()
ALLOW = frozenset({"127.0.0.1:9000", "[::1]:9000", "renderer:9000"})


def reason_of(url: str) -> Reason | None:
    try:
        check_url(url, NOBODY)
    except UnsafeUrl as refused:
        return refused.reason
    return None


class TestCheckUrl:
    def test_refuses_every_private_host_in_every_spelling(self) -> None:
        hosts = private_hosts()

        passed = [host for host in hosts if reason_of(f"https://{host}/a.png") is None]

        assert len(hosts) > 300
        assert passed == []

    @pytest.mark.parametrize("url", TRICKY_URLS)
    def test_refuses_what_parsers_disagree_on(self, url: str) -> None:
        assert reason_of(url) is not None

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("ftp://files.example/a.png", Reason.INVALID_SCHEME),
            ("http://files.example/a.png", Reason.INVALID_SCHEME),
            ("files.example/a.png", Reason.INVALID_SCHEME),
            ("https:///a.png", Reason.MISSING_HOST),
            ("https://localhost/a.png", Reason.BLOCKED_HOST),
            ("http://localhost/a.png", Reason.BLOCKED_HOST),
            ("https://user@files.example/a.png", Reason.BLOCKED_HOST),
            ("https://files.example:22/a.png", Reason.BLOCKED_HOST),
            ("http://169.254.169.254/latest", Reason.NON_PUBLIC_TARGET),
            ("https://[::ffff:10.0.0.1]/", Reason.NON_PUBLIC_TARGET),
        ],
    )
    def test_says_why(self, url: str, reason: Reason) -> None:
        assert reason_of(url) == reason

    def test_makes_the_code_of_a_field(self) -> None:
        refused = UnsafeUrl(Reason.NON_PUBLIC_TARGET)

        assert refused.code_for("image_url") == "image_url_non_public_target"
        assert refused.code == "url_non_public_target"

    @pytest.mark.parametrize(
        ("url", "asked"),
        [
            ("https://Files.Example./a%2Db?c=%3d&d=a+b", "https://files.example/a%2Db?c=%3d&d=a+b"),
            ("https://files.example:443/a#b", "https://files.example/a"),
            ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
            ("https://8.8.8.8/a", "https://8.8.8.8/a"),
            ("https://[2606:4700:0::1]/a", "https://[2606:4700::1]/a"),
            ("HTTPS://files.example/?q=@", "https://files.example/?q=@"),
        ],
    )
    def test_takes_the_rest_and_changes_nothing_that_is_signed(self, url: str, asked: str) -> None:
        assert str(check_url(url, NOBODY).url) == asked

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:9000/a", "http://[::1]:9000/a", "https://renderer:9000/a"]
    )
    def test_takes_what_the_operator_vouches_for(self, url: str) -> None:
        assert check_url(url, ALLOW).vouched

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize(
        "place",
        ["127.0.0.1:9001", "127.0.0.2:9000", "x@127.0.0.1:9000", "0x7f.1:9000", "127.0.0.1"],
    )
    def test_takes_nothing_beside_it(self, scheme: str, place: str) -> None:
        with pytest.raises(UnsafeUrl):
            check_url(f"{scheme}://{place}/", ALLOW)

    @given(st.text(max_size=60), st.sampled_from(["", ".", "/", "@", ":443", "%", "\\", "0x7f.1"]))
    def test_never_breaks_and_never_takes_a_private_literal(self, text: str, join: str) -> None:
        try:
            target = check_url(f"https://{text}{join}{text}", NOBODY)
        except UnsafeUrl:
            return
        assert not is_literal(target.host) or is_public(target.host)


class TestFollow:
    START = check_url("https://files.example/a/b", NOBODY)

    @pytest.mark.parametrize(
        ("location", "asked"),
        [
            ("c?d=%2D", "https://files.example/a/c?d=%2D"),
            ("/c", "https://files.example/c"),
            ("//other.example/c", "https://other.example/c"),
            ("https://other.example/c", "https://other.example/c"),
        ],
    )
    def test_reads_every_form_of_location(self, location: str, asked: str) -> None:
        assert str(follow(self.START, location, NOBODY).url) == asked

    @pytest.mark.parametrize("location", [*TRICKY_URLS, "//files.example:65536/", "//[::1/"])
    def test_refuses_what_cannot_be_read_or_stays_at_home(self, location: str) -> None:
        with suppress(UnsafeUrl):
            assert follow(self.START, location, NOBODY).host == "files.example"

    @pytest.mark.parametrize("form", ["//{}/", "https://{}/", "http://{}/"])
    def test_judges_the_new_place(self, form: str) -> None:
        for host in private_hosts():
            with pytest.raises(UnsafeUrl):
                follow(self.START, form.format(host), NOBODY)

    def test_never_leads_from_outside_to_what_the_operator_vouches_for(self) -> None:
        with pytest.raises(UnsafeUrl) as refused:
            follow(self.START, "http://127.0.0.1:9000/", ALLOW)

        assert refused.value.reason == Reason.NON_PUBLIC_TARGET
        inside = check_url("http://127.0.0.1:9000/", ALLOW)
        assert follow(inside, "http://[::1]:9000/", ALLOW).vouched
