"""What is read from an answer, and the bill that follows from it."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.openai.answers import Usage, painted
from medici.adapters.providers.openai.costs import Tariff
from medici.adapters.providers.pricing import TokenUsage
from medici.adapters.providers.provider import Cost, CostSource
from medici.fakes.openai import tokens
from tests.adapters.openai.prices import RATES, TYPICAL, TokenPrices

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CALLS = 1_000
SIZES = ["1024x1024", "1536x1024", "1024x1536", "1248x944", "2192x1648", None, "auto"]


def answer(**parts: object) -> bytes:
    return json.dumps({"created": 1, "data": [{"b64_json": "AAAA"}], **parts}).encode()


def some_usage(chance: Random) -> dict[str, Any]:
    """Return a usage block as the API might write it, with and without the details."""
    return tokens.usage(
        text_in=chance.randrange(8_000),
        image_in=chance.randrange(20_000),
        image_out=chance.randrange(1, 20_000),
        details=chance.random() < 0.5,
    )


def billed(model: str, told: dict[str, Any]) -> int:
    """Recompute a bill by the vendor's price sheet, from the block alone."""
    text_in, image_in, image_out = RATES[model]
    going_in = told["input_tokens_details"]
    return int(
        going_in["text_tokens"] * text_in
        + going_in["image_tokens"] * image_in
        + told["output_tokens"] * image_out
    )


class TestBills:
    def test_of_a_thousand_calls_are_exact(self) -> None:
        chance = Random(31142)
        wrong = 0
        for _ in range(CALLS):
            model, quality = chance.choice(sorted(RATES)), chance.choice(sorted(TYPICAL))
            told = some_usage(chance)
            body = answer(usage=told, quality=quality, size=chance.choice(SIZES))

            read = painted(body)

            assert read is not None
            tariff = Tariff(prices=TokenPrices(), provider="openai", model=model, at=NOW)
            cost = tariff.actual(read.usage, quality=quality, pixels=1024 * 1024)
            wrong += abs(cost.amount_micros - billed(model, told))
            assert cost.source is CostSource.USAGE_TOKENS
        assert wrong == 0

    def test_without_tokens_are_the_usual_ones(self) -> None:
        tariff = Tariff(prices=TokenPrices(), provider="openai", model="gpt-image-2", at=NOW)

        assert tariff.actual(None, quality="high", pixels=2 * 1024 * 1024) == Cost(
            amount_micros=105_400,
            source=CostSource.PRICE_TABLE,
            price_version="prices-of-the-test",
        )


class TestUsage:
    @pytest.mark.parametrize(
        ("block", "read"),
        [
            pytest.param(
                {"input_tokens": 10, "output_tokens": 272},
                TokenUsage(image_in=10, image_out=272),
                id="no details at all",
            ),
            pytest.param(
                {
                    "input_tokens": 10,
                    "output_tokens": 272,
                    "input_tokens_details": {"text_tokens": 4, "image_tokens": 6},
                    "output_tokens_details": None,
                },
                TokenUsage(text_in=4, image_in=6, image_out=272),
                id="null",
            ),
            pytest.param(
                {
                    "input_tokens": 10,
                    "output_tokens": 272,
                    "input_tokens_details": {"text_tokens": 4, "image_tokens": 6},
                    "output_tokens_details": {"image_tokens": 200, "text_tokens": 72},
                },
                TokenUsage(text_in=4, image_in=6, text_out=72, image_out=200),
                id="thoughts beside the picture",
            ),
            pytest.param(
                {
                    "input_tokens": 10,
                    "output_tokens": 272,
                    "input_tokens_details": {"text_tokens": 1, "image_tokens": 6},
                    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
                },
                TokenUsage(text_in=4, image_in=6, image_out=272),
                id="details that leave something out",
            ),
        ],
    )
    def test_counts_every_token_once(self, block: dict[str, Any], read: TokenUsage) -> None:
        assert Usage.model_validate(block).tokens() == read


class TestPainted:
    def test_reads_size_and_quality_as_they_were_resolved(self) -> None:
        read = painted(answer(size="1536x1024", quality="high", new_field=[1]))

        assert read is not None
        assert (read.size, read.quality) == ((1536, 1024), "high")

    @pytest.mark.parametrize(
        "size", [None, "auto", "1024", "x", "-1x5", "٣x٣", 7, "9" * 5000 + "x1"]
    )
    def test_tells_no_size_where_there_is_none(self, size: object) -> None:
        read = painted(answer(size=size))

        assert read is not None
        assert read.size is None

    @pytest.mark.parametrize(
        "usage",
        [
            None,
            7,
            "many",
            {"input_tokens": -1, "output_tokens": 2},
            {"input_tokens": 1, "output_tokens": 10**12},
            {"input_tokens": 1},
        ],
    )
    def test_keeps_the_picture_of_a_broken_bill(self, usage: object) -> None:
        read = painted(answer(usage=usage))

        assert read is not None
        assert (read.usage, read.pictures()) == (None, (b"\0\0\0",))

    @pytest.mark.parametrize(
        "data",
        [
            None,
            [],
            [{}],
            [{"b64_json": None}],
            [{"b64_json": "no base64!"}],
            [{"b64_json": "é"}],
            [{"url": "https://elsewhere.example/a.png"}],
        ],
    )
    def test_finds_no_picture(self, data: object) -> None:
        read = painted(answer(data=data))

        assert read is not None
        with pytest.raises(ProviderFailure, match="no_output"):
            read.pictures()

    def test_decodes_several(self) -> None:
        data = [{"b64_json": b64encode(text).decode()} for text in (b"one", b"two")]

        read = painted(answer(data=data))

        assert read is not None
        assert read.pictures() == (b"one", b"two")
