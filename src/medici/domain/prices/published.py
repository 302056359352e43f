"""Token prices out of the data that ``genai-prices`` brings along.

Importing this module costs a seventh of a second and 23 MB.
"""

from datetime import datetime
from fractions import Fraction

from genai_prices import Usage
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot

from medici.adapters.providers.pricing import TokenUsage


class PublishedPrices:
    """The library's own table as installed.

    It is read from a snapshot of ours: the library's global one may be replaced at any time by what
    somebody fetched from the network.
    """

    def __init__(self) -> None:
        self._snapshot = DataSnapshot(providers=providers, from_auto_update=False)

    def token_cost_micros(
        self, provider: str, model: str, usage: TokenUsage, *, at: datetime
    ) -> int | None:
        """Return the cost in millionths of a US dollar, rounded once.

        None where the library does not know the model, or knows no price for image tokens: it would
        bill them as text.
        """
        try:
            seller, sold = self._snapshot.find_provider_model(model, None, provider, None)
        except LookupError:
            return None
        if sold.get_prices(at).output_image_mtok is None:
            return None
        cost = sold.calc_price(_counted(usage), seller, genai_request_timestamp=at)
        return round(Fraction(cost.total_price) * 1_000_000)


def _counted(usage: TokenUsage) -> Usage:
    """Count as the library does, where each total includes its parts."""
    return Usage(
        input_tokens=usage.text_in + usage.image_in,
        input_image_tokens=usage.image_in,
        cache_read_tokens=usage.cached_text_in + usage.cached_image_in,
        cache_image_read_tokens=usage.cached_image_in,
        output_tokens=usage.text_out + usage.image_out,
        output_image_tokens=usage.image_out,
    )
