"""What can be refused about outgoing webhooks."""

from medici.kernel.errors import Kind, MediciError


class EndpointNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "webhook_endpoint_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such endpoint")


class DeliveryNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "webhook_delivery_not_found"

    def __init__(self) -> None:
        super().__init__("this endpoint has no such delivery")


class EndpointDisabled(MediciError):
    """A disabled endpoint is sent nothing, not even on an operator's word."""

    kind = Kind.CONFLICT
    code = "webhook_endpoint_disabled"

    def __init__(self) -> None:
        super().__init__("enable the endpoint first")


class TooManyEndpoints(MediciError):
    """Each endpoint is one more thing to write with everything that happens."""

    kind = Kind.CONFLICT
    code = "too_many_webhook_endpoints"

    def __init__(self, most: int) -> None:
        super().__init__(f"there can be {most} endpoints")
