"""A render in the form in which a provider is asked for it."""

from dataclasses import dataclass

from medici.adapters.providers.request import InputImage, Part, RenderRequest
from medici.domain.rendering.rows import AttemptRow, JobRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A job with the customer's pictures in hand, ready to be addressed to a provider."""

    job: JobRow
    image: InputImage
    mask: InputImage | None

    def addressed(self, attempt: AttemptRow, *, public_url: str | None) -> RenderRequest:
        return RenderRequest(
            reference=str(attempt.id),
            operation=self.job.operation,
            tier=self.job.tier,
            model=attempt.model,
            image=self.image,
            mask=self.mask,
            style_id=self.job.style_id,
            prompt=self.job.prompt,
            wishes=tuple(self.job.wishes),
            target_parts=tuple(Part(part) for part in self.job.target_parts),
            max_pixels=self.job.max_pixels,
            webhook_url=public_url and webhook_url(public_url, attempt),
        )


def webhook_url(public_url: str, attempt: AttemptRow) -> str:
    """Return where a provider may tell us of an attempt; the attempt's id stands in it."""
    base = public_url.rstrip("/")
    return f"{base}/v1/providers/{attempt.provider}/webhook/{attempt.id}"
