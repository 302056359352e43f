"""Only texts that we could have made ourselves name an object."""

import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medici.adapters.storage.errors import InvalidKey
from medici.adapters.storage.keys import check_key, is_key

TRAVERSALS = [
    "../etc/passwd.png",
    "uploads/../../etc/passwd.png",
    "uploads/..png",
    "..%2f..%2fetc/passwd.png",
    "%252e%252e%252fetc.png",
    "..%5c..%5cwindows.png",
    "..\\windows.png",
    "uploads\\a.png",
    "a.png\0.png",
    "a%00.png",
    "/etc/passwd.png",
    "//etc/passwd.png",
    "uploads//a.png",
    "uploads/",
    "c:/windows.png",
    "c:\\windows.png",
    "．．/etc.png",
    "uploads/．．/a.png",
    "./a.png",
    ".hidden.png",
    "uploads/.png",
    "a.png/b.png",
    "a.png\n",
    "Uploads/a.png",
    "ſ/a.png",
    "uploads/a b.png",
    "uploads/a",
    "uploads/a.exe",
    "uploads/a.html",
    "uploads/a.svg",
    "a" * 4096 + ".png",
    "a/" * 300 + "a.png",
    "",
]

# Drawn from what attacks are made of, so that most of them come near to a key.
PIECES = st.sampled_from(
    ["..", ".", "/", "\\", "%2e", "%2f", "%00", "\0", "~", "c:", "．", "a", "uploads", ".png", "-"]
)
ATTEMPTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=40))


class TestCheckKey:
    @pytest.mark.parametrize(
        ("key", "content_type"),
        [
            ("a.jpg", "image/jpeg"),
            ("uploads/0198f0a4-7f00/picture.png", "image/png"),
            ("art.myshopify.com/processed/0198.webp", "image/webp"),
            ("exports/2026-11-24/org_1.json", "application/json"),
            ("exports/v1.2.csv", "text/csv"),
            ("exports/all.zip", "application/zip"),
        ],
    )
    def test_tells_the_content_type_of_a_good_key(self, key: str, content_type: str) -> None:
        assert check_key(key) == content_type

    @pytest.mark.parametrize("key", TRAVERSALS)
    def test_refuses_every_other_text(self, key: str) -> None:
        with pytest.raises(InvalidKey):
            check_key(key)

    @settings(max_examples=2000, deadline=None)
    @given(ATTEMPTS)
    def test_accepts_nothing_that_leads_out(self, text: str) -> None:
        if is_key(text):
            assert posixpath.normpath(f"/store/{text}") == f"/store/{text}"
