"""The column type for amounts that must come back as they went in, on both databases."""

from decimal import Context, Decimal, Inexact, localcontext
from typing import Any

from sqlalchemy import Dialect, Integer, Numeric
from sqlalchemy.sql.type_api import TypeEngine
from sqlalchemy.types import TypeDecorator

from medici.kernel.money import LARGEST, InvalidAmount

DIGITS = 38  # of PostgreSQL's NUMERIC; SQLite holds as many as fit in 64 bits
STRICT = Context(prec=DIGITS + 4, traps=[Inexact])


class Exact(TypeDecorator[Decimal]):
    """A decimal of ``scale`` places: NUMERIC on PostgreSQL, a scaled integer on SQLite.

    Plain ``Numeric`` goes through a float on SQLite and loses digits without a word. Nothing is
    rounded here: round before you store. ``SUM`` is exact; ``AVG``, products and quotients in SQL
    are not, for on SQLite they would work on the scaled integers.

    Raises:
        InvalidAmount: a value with more places than ``scale``, or too large for the column.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, scale: int) -> None:
        super().__init__(DIGITS, scale)
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(DIGITS, self.scale))
        return dialect.type_descriptor(Integer())

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        scaled = self._scaled(value)
        if dialect.name == "postgresql":
            return Decimal(scaled).scaleb(-self.scale, STRICT)
        if abs(scaled) > LARGEST:
            raise InvalidAmount("the amount does not fit in 64 bits")
        return scaled

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return Decimal(value)
        return Decimal(int(value)).scaleb(-self.scale, STRICT)

    def _scaled(self, value: Decimal | int) -> int:
        if isinstance(value, float):
            raise InvalidAmount("a float is not exact; pass a Decimal")
        number = Decimal(value)
        if not number.is_finite() or number.adjusted() >= DIGITS - self.scale:
            raise InvalidAmount("the amount does not fit in the column")
        return self._whole(number)

    def _whole(self, number: Decimal) -> int:
        with localcontext(STRICT):
            try:
                return int(number.scaleb(self.scale).to_integral_exact())
            except Inexact as error:
                raise InvalidAmount(f"more than {self.scale} decimal places") from error
