"""Every table of the product, for whoever compares or creates the schema."""

from medici.domain.analytics import models as analytics
from medici.domain.assignments import models as assignments
from medici.domain.billing import models as billing
from medici.domain.billing.resets import models as resets
from medici.domain.events import models as events
from medici.domain.identity import models as identity
from medici.domain.inbox import models as inbox
from medici.domain.ledger import models as ledger
from medici.domain.notices import models as notices
from medici.domain.pictures import models as pictures
from medici.domain.plans import models as plans
from medici.domain.rendering import models as rendering
from medici.domain.routing import models as routing
from medici.doors.http import models as http
from medici.jobs import models as jobs
from medici.kernel.db.base import Base

MODELS = (
    analytics,
    assignments,
    billing,
    events,
    http,
    identity,
    inbox,
    jobs,
    ledger,
    notices,
    pictures,
    plans,
    rendering,
    resets,
    routing,
)
METADATA = Base.metadata
