"""An answer that everybody asks for and that seldom changes: kept, and sent to nobody twice."""

import hashlib
from dataclasses import dataclass
from typing import TypeAlias, cast

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

KEPT = "kept_bootstrap"
CACHE_CONTROL = "public, no-cache"  # whoever keeps it asks each time whether it still holds

Origin: TypeAlias = tuple[int, BaseModel]  # what an answer was made from


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A written answer, which is named by what it says."""

    origin: Origin
    body: bytes
    etag: str

    @classmethod
    def of(cls, origin: Origin, content: BaseModel) -> "Answer":
        body = content.model_dump_json().encode()
        return cls(origin=origin, body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def to(self, request: Request) -> Response:
        """Send it, or 304 to a client that has it."""
        headers = {"ETag": self.etag, "Cache-Control": CACHE_CONTROL}
        if _names(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=headers)
        return Response(self.body, headers=headers, media_type="application/json")


def kept(app: FastAPI, origin: Origin) -> Answer | None:
    """Return the answer that this process wrote last, if it was made from the same."""
    answer = cast("Answer | None", getattr(app.state, KEPT, None))
    return answer if answer and answer.origin == origin else None


def keep(app: FastAPI, answer: Answer) -> Answer:
    setattr(app.state, KEPT, answer)
    return answer


def _names(condition: str, etag: str) -> bool:
    """Tell whether an ``If-None-Match`` names a tag; weak ones name it, too."""
    named = {each.strip().removeprefix("W/") for each in condition.split(",")}
    return etag in named or "*" in named
