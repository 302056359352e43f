"""Why somebody is not let in."""

from medici.kernel.errors import Kind, MediciError


class NotAuthenticated(MediciError):
    """Nobody we know is asking."""

    kind = Kind.UNAUTHENTICATED


class MissingOrInvalidToken(NotAuthenticated):
    code = "missing_or_invalid_token"

    def __init__(self) -> None:
        super().__init__("a bearer token is needed")


class InvalidOrExpiredToken(NotAuthenticated):
    code = "invalid_or_expired_token"

    def __init__(self) -> None:
        super().__init__("this token is unknown, expired or signed out")


class InvalidIdToken(NotAuthenticated):
    """The message says why, for our logs; the code says no more than no."""

    code = "invalid_id_token"


class AdminAuthNotConfigured(NotAuthenticated):
    code = "admin_auth_not_configured"

    def __init__(self) -> None:
        super().__init__("set ADMIN_API_TOKEN or ADMIN_USER_IDS to open the admin routes")


class MissingOrInvalidAdminToken(NotAuthenticated):
    code = "missing_or_invalid_admin_token"

    def __init__(self) -> None:
        super().__init__("the admin token is missing or wrong")


class ForbiddenAdminScope(MediciError):
    kind = Kind.FORBIDDEN
    code = "forbidden_admin_scope"

    def __init__(self) -> None:
        super().__init__("this user is no operator")


class ForbiddenUserScope(MediciError):
    kind = Kind.FORBIDDEN
    code = "forbidden_user_scope"

    def __init__(self) -> None:
        super().__init__("a user may act for nobody else")


class UserDisabled(MediciError):
    kind = Kind.FORBIDDEN
    code = "user_disabled"

    def __init__(self) -> None:
        super().__init__("this user has been disabled")
