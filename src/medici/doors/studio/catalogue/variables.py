"""Variables, as operators see and set them."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from medici.domain.plans.errors import VariableNotFound
from medici.domain.plans.models import Scalar, Variable
from medici.domain.plans.queries import stored_variables
from medici.domain.plans.tuning import delete_variable, set_variable
from medici.domain.plans.variables import LARGEST, Tunable
from medici.doors.http.auth import Operator
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.catalogue.acts import OperatorAct
from medici.doors.studio.catalogue.schemas import Deleted, Form, same_id
from medici.doors.studio.catalogue.variables_known import KNOWN

router = APIRouter(prefix="/v1/admin/variables", tags=["catalogue"], route_class=IdempotentRoute)

Key = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")
]


def _exact(value: object) -> object:
    """Refuse a whole number that readers of JSON disagree about."""
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise ValueError("a whole number has at most 53 bits")
    return value


Value = Annotated[
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, Field(strict=True, max_length=2_000)],
    BeforeValidator(_exact),
]
VariableKey = Annotated[Key, Path()]


class VariableIn(Form):
    """A value: a flag, a number or a text. ``description``, left out, stays as it is."""

    key: Key | None = None
    value: Value
    description: Annotated[str, StringConstraints(max_length=500)] | None = None


class VariableOut(BaseModel):
    """A variable and what it counts as now.

    One that some code reads has a ``type``, a ``default`` and bounds or ``choices``; where nothing
    is stored for it, or nothing sensible, its ``value`` is the default and ``is_default`` true.
    """

    key: str
    value: Scalar
    description: str | None
    known: bool
    is_default: bool
    default: Scalar | None
    type: str | None
    minimum: int | float | None
    maximum: int | float | None
    choices: list[Scalar] | None

    @classmethod
    def of(
        cls, key: str, stored: Variable | None, tunable: Tunable[Scalar] | None
    ) -> "VariableOut":
        terms = tunable.terms if tunable else {}
        described = stored.description if stored else None
        return cls.model_validate(
            {
                "key": key,
                "value": _in_effect(stored, tunable),
                "description": described or (tunable.description if tunable else None),
                "known": tunable is not None,
                "is_default": _counts_as_default(stored, tunable),
                "default": tunable.default if tunable else None,
                **{name: terms.get(name) for name in ("type", "minimum", "maximum", "choices")},
            }
        )


@router.get("")
async def list_variables(
    _operator: Operator, session: ReadSession, known: bool | None = None
) -> list[VariableOut]:
    """List by key what is stored and what some code reads; ``known`` keeps one sort of them."""
    stored = {row.key: row for row in await stored_variables(session)}
    keys = sorted({*stored, *(tunable.key for tunable in KNOWN)})
    shown = [VariableOut.of(key, stored.get(key), KNOWN.get(key)) for key in keys]
    return [each for each in shown if known is None or each.known is known]


@router.get("/{variable_key}")
async def one_variable(
    variable_key: VariableKey, _operator: Operator, session: ReadSession
) -> VariableOut:
    """Return a variable that is stored, or that some code reads."""
    stored, tunable = await session.get(Variable, variable_key), KNOWN.get(variable_key)
    if stored is None and tunable is None:
        raise VariableNotFound(f"nothing is called {variable_key}")
    return VariableOut.of(variable_key, stored, tunable)


@router.put("/{variable_key}")
async def put_variable(
    variable_key: VariableKey, body: VariableIn, act: OperatorAct, session: DbSession
) -> VariableOut:
    """Set a variable; it counts from the next request on.

    One that some code reads is refused with 422 ``variable_wrong_type`` or
    ``variable_out_of_bounds`` and the type and bounds that hold; any other takes every scalar.
    """
    change = await set_variable(
        session,
        key=same_id(variable_key, body.key),
        value=body.value,
        description=body.description,
        tunable=KNOWN.get(variable_key),
        now=act.now,
    )
    await act.record(session, "variable_saved", noun="variable", row_id=variable_key, change=change)
    stored = await session.get_one(Variable, variable_key)
    return VariableOut.of(variable_key, stored, KNOWN.get(variable_key))


@router.delete("/{variable_key}")
async def remove_variable(
    variable_key: VariableKey, act: OperatorAct, session: DbSession
) -> Deleted:
    """Forget what is stored; what some code reads counts as its default again."""
    change = await delete_variable(session, key=variable_key)
    await act.record(
        session, "variable_deleted", noun="variable", row_id=variable_key, change=change
    )
    return Deleted()


def _in_effect(stored: Variable | None, tunable: Tunable[Scalar] | None) -> Scalar | None:
    value = stored.value if stored else None
    return tunable.read(value) if tunable else value


def _counts_as_default(stored: Variable | None, tunable: Tunable[Scalar] | None) -> bool:
    return tunable is not None and (stored is None or not tunable.takes(stored.value))
