"""The JSON of plans, and what plans and packs have in common."""

from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from medici.domain.plans.models import Plan
from medici.domain.plans.rules import PlanTerms, Products
from medici.kernel.errors import Kind, MediciError

MOST_CREDITS = 1_000_000
HIGHEST_PRICE = 1_000_000  # US dollars, which a float holds to the cent


def cents_of(price: float) -> int:
    """Return a price in US dollars, as it was written, in cents."""
    return int(Decimal(str(price)) * 100)


def dollars_of(cents: int) -> float:
    return cents / 100


def _in_cents(price: float) -> float:
    if Decimal(str(price)) * 100 % 1:
        raise ValueError("a price has at most two decimals")
    return price


def _none_if_empty(text: object) -> object:
    """Take a form's empty field for one that was not filled in."""
    return None if text == "" else text


Unfilled = BeforeValidator(_none_if_empty)
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ProductId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
WebAddress = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^https?://[!-~]+$")]
WebAddressOrPath = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^(https?:/)?/[!-~]+$")
]
Credits = Annotated[int, Field(ge=0, le=MOST_CREDITS, strict=True)]
SortOrder = Annotated[int, Field(ge=-1_000_000, le=1_000_000, strict=True)]
Price = Annotated[
    float,
    Field(ge=0, le=HIGHEST_PRICE, strict=True, allow_inf_nan=False),
    AfterValidator(_in_cents),
]


class IdMismatch(MediciError):
    """A body may repeat the id of its path, and nothing else in its place."""

    kind = Kind.UNPROCESSABLE
    code = "id_mismatch"

    def __init__(self, *, path: str, body: str) -> None:
        super().__init__(f"the path says {path} and the body says {body}")


class Form(BaseModel):
    """What an operator fills in. A misspelt field is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class Deleted(BaseModel):
    deleted: bool = True


def same_id(path: str, body: str | None) -> str:
    """Return the id of the path.

    Raises:
        IdMismatch: the body names another.
    """
    if body is not None and body != path:
        raise IdMismatch(path=path, body=body)
    return path


class SoldForm(Form):
    """What a thing for sale is called in each store; null where a store does not sell it."""

    ios_product_id: Annotated[ProductId | None, Unfilled] = None
    android_product_id: Annotated[ProductId | None, Unfilled] = None
    web_product_id: Annotated[ProductId | None, Unfilled] = None

    @property
    def products(self) -> Products:
        return Products(
            ios=self.ios_product_id, android=self.android_product_id, web=self.web_product_id
        )


class PlanIn(SoldForm):
    """A whole plan. ``period_credits`` and ``trial_credits``, left out, stay as they are."""

    plan_id: Identifier | None = None
    display_name: Name
    is_active: bool = True
    daily_credits: Credits
    preview_cost_credits: Credits = 1
    final_cost_credits: Credits = 2
    monthly_price_usd: Price
    features: list[Word] = Field(default_factory=list, max_length=50)
    period_credits: Credits | None = None
    trial_credits: Credits | None = None

    def terms(self) -> PlanTerms:
        """Put the form into the words of the catalogue."""
        return PlanTerms(
            display_name=self.display_name,
            is_active=self.is_active,
            daily_credits=self.daily_credits,
            preview_cost_credits=self.preview_cost_credits,
            final_cost_credits=self.final_cost_credits,
            monthly_price_cents=cents_of(self.monthly_price_usd),
            products=self.products,
            features=tuple(self.features),
            period_credits=self.period_credits,
            trial_credits=self.trial_credits,
        )


class PlanOut(BaseModel):
    """What a customer can have, and what it costs.

    ``daily_credits`` come each day and go with it; ``period_credits`` come with each paid period
    and ``trial_credits`` with a trial.
    """

    plan_id: str
    display_name: str
    is_active: bool
    daily_credits: int
    preview_cost_credits: int
    final_cost_credits: int
    monthly_price_usd: float
    ios_product_id: str | None
    android_product_id: str | None
    web_product_id: str | None
    features: list[str]
    period_credits: int
    trial_credits: int

    @classmethod
    def of(cls, plan: Plan) -> "PlanOut":
        return cls(
            plan_id=plan.plan_id,
            display_name=plan.display_name,
            is_active=plan.is_active,
            daily_credits=plan.daily_credits,
            preview_cost_credits=plan.preview_cost_credits,
            final_cost_credits=plan.final_cost_credits,
            monthly_price_usd=dollars_of(plan.monthly_price_cents),
            ios_product_id=plan.ios_product_id,
            android_product_id=plan.android_product_id,
            web_product_id=plan.web_product_id,
            features=plan.features,
            period_credits=plan.period_credits,
            trial_credits=plan.trial_credits,
        )
