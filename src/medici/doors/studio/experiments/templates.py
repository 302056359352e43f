"""Experiments to start from. Operators."""

from fastapi import APIRouter
from pydantic import BaseModel

from medici.domain.experiments.templates import Template, fitting
from medici.domain.routing.queries import published
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.experiments.admin_answers import VariantOut
from medici.doors.studio.routing.schemas import enableable

router = APIRouter(prefix="/v1/admin/experiments", tags=["experiments"])


class TemplateOut(BaseModel):
    """An experiment as it could be set up."""

    template_id: str
    name: str
    description: str | None
    assignment_unit: str
    primary_metric: str
    guardrails: dict[str, int | float]
    variants: list[VariantOut]

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        wanted = template.set_up
        return cls(
            template_id=template.template_id,
            name=wanted.name,
            description=wanted.description,
            assignment_unit=wanted.assignment_unit,
            primary_metric=wanted.primary_metric,
            guardrails=dict(wanted.guardrails),
            variants=[
                VariantOut(variant_id=each.variant_id, weight=each.weight, config=dict(each.config))
                for each in wanted.variants
            ],
        )


@router.get("/templates")
async def list_templates(
    _operator: Operator, session: ReadSession, resources: AppResources
) -> list[TemplateOut]:
    """List what is built in, each ready to be sent to ``PUT`` under an id of your own.

    Variants hold ``routing`` where the providers that they are about are enabled here.
    """
    settings = (await published(session)).settings
    return [TemplateOut.of(each) for each in fitting(settings, enableable(resources))]
