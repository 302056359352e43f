"""What a customer asks for."""

from dataclasses import dataclass
from uuid import UUID

from medici.adapters.providers.request import Operation, Part, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """The customer's picture: one of our own uploads by id, or an outside address."""

    url: str
    picture_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOrder:
    """What a customer asks for. ``wishes`` are free words that go into the prompt."""

    project_id: str
    style_id: str
    operation: Operation
    image: ImageSource
    tier: Tier = Tier.PREVIEW
    target_parts: tuple[Part, ...] = (Part.FULL_ROOM,)
    mask: ImageSource | None = None
    wishes: tuple[str, ...] = ()
    platform: str | None = None

    @property
    def picture_ids(self) -> tuple[UUID, ...]:
        """Return the uploads that it names."""
        sources = (self.image, self.mask)
        return tuple(source.picture_id for source in sources if source and source.picture_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A user's order that waits to be admitted.

    ``job_id`` is given to it beforehand, so that it cannot be admitted twice however often it is
    tried. ``registered`` names the providers that can be reached and can do this.
    """

    job_id: UUID
    user_id: str
    order: RenderOrder
    registered: frozenset[str]
