"""How parameters are written, and that the fake reads them so."""

from urllib.parse import unquote_plus

from medici.adapters.payments.stripe.forms import Fields, encoded
from medici.fakes.stripe.params import decoded


class TestEncoded:
    def test_nests_with_brackets(self) -> None:
        text = unquote_plus(
            encoded(
                {
                    "mode": "payment",
                    "line_items": [{"price": "price_1", "quantity": 2}],
                    "metadata": {"who": "ada & bob"},
                    "expand": ("a.b",),
                    "active": True,
                    "closed": False,
                    "nothing": None,
                    "cleared": "",
                }
            )
        )

        assert text == (
            "mode=payment&line_items[0][price]=price_1&line_items[0][quantity]=2"
            "&metadata[who]=ada & bob&expand[0]=a.b&active=true&closed=false&cleared="
        )

    def test_survives_the_way(self) -> None:
        fields: Fields = {"metadata": {"who": "ada & bob = ü [0]"}, "items": [{"price": "a"}]}

        assert decoded(encoded(fields)) == fields

    def test_is_read_with_empty_brackets_as_well(self) -> None:
        assert decoded("expand[]=a&expand[]=b") == {"expand": ["a", "b"]}
