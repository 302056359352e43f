"""What can go wrong with the inbox."""

from medici.kernel.errors import Kind, MediciError


class MessageNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "message_not_found"
