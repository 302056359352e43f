"""What can go wrong with routing, in the words of the product."""

from collections.abc import Mapping, Sequence

from medici.kernel.errors import Kind, MediciError, Unavailable


class NoCandidate(MediciError):
    """No provider that is enabled and reachable serves this render."""

    kind = Kind.INVALID
    code = "no_provider_available"


class NothingPublished(Unavailable):
    """Start-up has not written the first provider settings yet."""

    code = "provider_settings_missing"


class SettingsRefused(MediciError):
    """Settings that cannot be stored or published; ``code`` is that of the first problem."""

    kind = Kind.INVALID

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Take problems as a code and a sentence each."""
        self.code, message = problems[0]
        super().__init__(message)
        self.problems = problems

    def details(self) -> Mapping[str, object]:
        return {"problems": [{"code": code, "message": message} for code, message in self.problems]}


class UnknownVersion(MediciError):
    """There is no such version to go back to."""

    kind = Kind.INVALID
    code = "provider_settings_version_not_found"


class VersionNotFound(MediciError):
    """There is no such version to look at."""

    kind = Kind.NOT_FOUND
    code = "provider_settings_version_not_found"


class DraftMoved(MediciError):
    """Somebody changed the draft since it was read; ``changes`` says what is different now."""

    kind = Kind.CONFLICT
    code = "draft_changed"

    def __init__(self, *, revision: int, changed_by: str, changes: Sequence[object]) -> None:
        super().__init__(f"the draft is at revision {revision} now")
        self.revision = revision
        self.changed_by = changed_by
        self.changes = changes

    def details(self) -> Mapping[str, object]:
        return {
            "revision": self.revision,
            "changed_by": self.changed_by,
            "changes": list(self.changes),
        }


class CanaryRunning(MediciError):
    """A version is being tried; it is promoted or aborted before the next is published."""

    kind = Kind.CONFLICT
    code = "canary_running"


class NoCanary(MediciError):
    """No version is being tried, or none ever was."""

    kind = Kind.NOT_FOUND
    code = "canary_not_found"
