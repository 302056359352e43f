"""Redaction: nothing secret or personal is told, and nothing told can forge a line."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.kernel.telemetry.control import neutralise
from medici.kernel.telemetry.redact import (
    REPLACEMENTS,
    SUSPICIOUS,
    is_secret_name,
    redact,
    redact_text,
)

CANARY = "c4n4ry" * 8
SECRET_NAMES = [
    "authorization",
    "Authorization",
    "X-Admin-Token",
    "x-api-key",
    "X-API-Key",
    "apiKey",
    "cookie",
    "Set-Cookie",
    "password",
    "db_password",
    "secret",
    "client_secret",
    "clientSecret",
    "token",
    "accessToken",
    "id_token",
    "signature",
    "X-Shopify-Hmac-Sha256",
    "idempotency_key",
    "Idempotency-Key",
    "idempotencyKey",
    "x-key",
    "x-goog-api-key",
    "encryption_keys",
    "dsn",
    "email",
    "customerEmail",
    "private_key",
    "SUPABASE_SERVICE_ROLE_KEY",
    "query_string",
]
HARMLESS_NAMES = [
    "key",
    "object_key",
    "tokens",
    "max_tokens",
    "event",
    "task",
    "monkey",
    "path",
    "status",
    "keyboard",
]
SECRET_TEXTS = [
    f"Authorization: Bearer {CANARY}",
    f"bearer  {CANARY}",
    f"Basic {CANARY}",
    f"Authorization: Key 1234-abc:{CANARY}",
    f"sk-{CANARY}",
    f"sk-ant-api03-{CANARY}",
    f"sk_live_{CANARY}",
    f"SG.{CANARY}.{CANARY}",
    f"lc_{CANARY}",
    f"whsec_{CANARY}",
    f"dev_{CANARY}",
    f"shpat_{CANARY}",
    f"org_8f14e45f-ceea-467f-9575-7a1a1a1a1a1a_{CANARY}",
    f"eyJhbGciOiJub25lIn0.{CANARY}.{CANARY}",
    f"data:image/png;base64,{CANARY}",
    f"data:text/plain;charset=utf-8,{CANARY}",
    CANARY * 6,
    f"https://files.example/a.png?X-Amz-Signature={CANARY}",
    f"https://files.example/a.png?{CANARY}",
    f"GET /images/1.png?token={CANARY} HTTP/1.1",
    f"postgresql://medici:{CANARY}@db/medici",
    f"https://{CANARY}@sentry.example/1",
    f"{CANARY}@mail.example",
]

PIECES = [
    *SECRET_TEXTS,
    *("data:", "://", "@", "?", ".", "a.b", "/", ";", ",", " ", "\n", "=", "-", "_", "+"),
    *("bearer", "BEARER", "BaSic", "Key ", "key ", "TOKEN ", "Token ", "token"),
    *("sk-", "SK_", "rk_", "RK-", "lc_", "DEV_", "tok_", "whsec_", "SHPAT_", "shpca_", "org_"),
    *("SG.", "sg.", "eyJ", "EYJ", "a" * 16, "0123456789abcdef" * 2, "x" * 257, "Ab+/" * 64),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join)


def thoroughly_redacted(text: str) -> str:
    """Apply every replacement, whether the text looks suspicious or not."""
    for pattern, replacement in REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return neutralise(text)


class TestSecretName:
    @pytest.mark.parametrize("name", SECRET_NAMES)
    def test_is_known_in_every_spelling(self, name: str) -> None:
        assert is_secret_name(name)

    @pytest.mark.parametrize("name", HARMLESS_NAMES)
    def test_leaves_the_others_readable(self, name: str) -> None:
        assert not is_secret_name(name)


class TestRedactText:
    @pytest.mark.parametrize("text", SECRET_TEXTS)
    def test_blanks_what_looks_like_a_secret(self, text: str) -> None:
        assert "c4n4ry" not in redact_text(f"before {text} after")
        assert "c4n4ry" not in redact_text(f'{{"field": "{text}"}}')

    @given(text=TEXTS)
    def test_skips_no_search_that_would_find_something(self, text: str) -> None:
        assert redact_text(text) == thoroughly_redacted(text)

    @pytest.mark.parametrize("pattern", [pattern for pattern, _ in REPLACEMENTS])
    @given(data=st.data())
    def test_suspects_all_that_is_replaced(
        self, pattern: re.Pattern[str], data: st.DataObject
    ) -> None:
        assert SUSPICIOUS.search(data.draw(st.from_regex(pattern)))

    @pytest.mark.parametrize(
        "text",
        ["render.dispatched", "what now?", "task-12345678 took 5 s", "a key opens doors", "1 < 2?"],
    )
    def test_leaves_prose_alone(self, text: str) -> None:
        assert redact_text(text) == text

    def test_keeps_the_place_that_a_url_names(self) -> None:
        assert redact_text("https://files.example/a.png?b=c") == (
            "https://files.example/a.png?[redacted]"
        )

    def test_shows_control_characters_instead_of_obeying_them(self) -> None:
        assert redact_text("a\r\x1b[31m\u2028\u202e\ud800\x00z") == (
            "a\\u000d\\u001b[31m\\u2028\\u202e\\ud800\\u0000z"
        )

    @pytest.mark.timeout(30)  # a quadratic pattern takes hours
    @pytest.mark.parametrize(
        "piece", ["a", "a.", "://", "@a", "?a", "data:", "eyJ-", "sk-", "Key "]
    )
    def test_takes_a_time_that_grows_with_the_text_alone(self, piece: str) -> None:
        for pattern, replacement in REPLACEMENTS:
            assert pattern.sub(replacement, piece * 100_000)


class TestRedact:
    def test_looks_into_everything(self) -> None:
        told = redact(
            {
                "headers": {"X-Admin-Token": CANARY, "Accept": "*/*"},
                "pairs": [("Authorization", CANARY), ("Accept", "*/*")],
                "texts": [f"sk-{CANARY}", {"deep": (f"Bearer {CANARY}",)}],
                "body": b"\x89PNG",
            }
        )

        assert told == {
            "headers": {"X-Admin-Token": "[redacted]", "Accept": "*/*"},
            "pairs": [["Authorization", "[redacted]"], ["Accept", "*/*"]],
            "texts": ["[redacted]", {"deep": ["Bearer [redacted]"]}],
            "body": "[4 bytes]",
        }

    def test_keeps_plain_values(self) -> None:
        values = {"none": None, "yes": True, "count": 3, "share": 0.5}

        assert redact(values) == values
        assert redact(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
        assert redact(10**5000) == "[large number]"

    def test_ends_in_a_circle(self) -> None:
        circle: list[object] = []
        circle.append(circle)

        assert "[too deep]" in str(redact(circle))
