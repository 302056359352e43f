"""Changing the draft of the provider settings."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import JsonValue, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.principal import Operator
from medici.domain.identity.service import record_audit
from medici.domain.routing import history
from medici.domain.routing.changes import FieldChange, differences, merged
from medici.domain.routing.errors import DraftMoved, SettingsRefused
from medici.domain.routing.history import Draft
from medici.domain.routing.models import ProviderSettingsDraft
from medici.domain.routing.rules import validate
from medici.domain.routing.settings import ProviderSettings
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.locks import lock_names

NOUN = "provider_settings"  # in the audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who changes provider settings, and why; ``actor`` is a name that nobody has proved."""

    operator: Operator
    actor: str
    now: datetime
    reason: str = ""
    request_id: str | None = None


async def lock_settings(session: AsyncSession) -> None:
    """Let everybody else who changes provider settings wait until this transaction ends."""
    await lock_names(await driver_of(session), [NOUN])


async def change_draft(
    session: AsyncSession,
    patch: Mapping[str, JsonValue],
    *,
    act: Act,
    registered: Collection[str],
    revision: int | None = None,
) -> Draft:
    """Merge a change into the draft.

    ``revision`` is the state of the draft that the change was made for; None is any. ``registered``
    names the providers that may be enabled here.

    Raises:
        DraftMoved: the draft is at another revision.
        SettingsRefused: what comes of it could not be published.
    """
    await lock_settings(session)
    before = await history.draft(session)
    await check_revision(session, before, revision)
    content = before.settings.model_dump(mode="json")
    settings = parse(merged(content, dict(patch)))
    check(settings, registered)
    after = await write_draft(session, settings, before=before, act=act)
    changes = differences(content, settings.model_dump(mode="json"))
    metadata = {"revision": after.revision, "changes": shown(changes)}
    await record(session, "provider_settings_draft_updated", "draft", act=act, metadata=metadata)
    return after


async def write_draft(
    session: AsyncSession, settings: ProviderSettings, *, before: Draft, act: Act
) -> Draft:
    """Write the next state of the draft; whoever does holds the lock."""
    row = ProviderSettingsDraft(
        revision=before.revision + 1,
        content=settings.model_dump(mode="json"),
        actor=act.actor,
        reason=act.reason,
        created_at=act.now,
    )
    session.add(row)
    await session.flush()
    return Draft(revision=row.revision, settings=settings, actor=act.actor, changed_at=act.now)


async def check_revision(session: AsyncSession, draft: Draft, revision: int | None) -> None:
    """Make sure that the draft is at a revision; None is any.

    Raises:
        DraftMoved: it is not.
    """
    if revision is None or revision == draft.revision:
        return
    now = draft.settings.model_dump(mode="json")
    then = await history.draft_content(session, revision)
    raise DraftMoved(
        revision=draft.revision,
        changed_by=draft.actor or "",
        changes=shown(differences(then, now) if then is not None else ()),
    )


def parse(content: JsonValue) -> ProviderSettings:
    """Read settings as they were sent.

    Raises:
        SettingsRefused: they are none.
    """
    try:
        return ProviderSettings.model_validate(content)
    except ValidationError as error:
        problems = [
            ("invalid_provider_settings", f"{'.'.join(map(str, each['loc']))}: {each['msg']}")
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise SettingsRefused(problems) from error


def check(settings: ProviderSettings, registered: Collection[str]) -> None:
    """Make sure that settings can be published.

    Raises:
        SettingsRefused: they cannot.
    """
    problems = validate(settings, registered)
    if problems:
        raise SettingsRefused([(each.code, each.message) for each in problems])


def shown(changes: Collection[FieldChange]) -> list[dict[str, object]]:
    """Return changes as JSON objects."""
    return [asdict(change) for change in changes]


async def record(
    session: AsyncSession, action: str, target: str, *, act: Act, metadata: dict[str, object]
) -> None:
    """Write down what was done to the settings; ``target`` is a version, or the draft."""
    await record_audit(
        session,
        action=action,
        operator=act.operator,
        reason=act.reason or None,
        target=(NOUN, target),
        after={"actor": act.actor, "metadata": metadata},
        request_id=act.request_id,
        now=act.now,
    )
