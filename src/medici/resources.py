"""What a process has open: the database, storage, providers and the ways out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from medici.adapters.imaging.host import ImageProcess
from medici.adapters.oidc import KeySource
from medici.adapters.payments.news import Source
from medici.adapters.payments.receivers import Receivers
from medici.adapters.payments.store import Store
from medici.adapters.providers.provider import ProviderRegistry
from medici.adapters.storage.store import Storage
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from medici.kernel.keyring import KeyRing
from medici.kernel.net.client import OutgoingClient
from medici.kernel.telemetry.metrics import Metrics
from medici.kernel.turns import Turns
from medici.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Opened once by ``bootstrap``, handed to doors and workers, closed at the end."""

    settings: Settings
    database: Database
    storage: Storage
    images: ImageProcess
    providers: ProviderRegistry
    outgoing: OutgoingClient
    oidc_keys: KeySource
    keys: KeyRing
    metrics: Metrics
    clock: Clock
    # The stores that can be asked; one whose settings are missing is not there.
    stores: Mapping[Source, Store] = field(default_factory=dict)
    receivers: Receivers = field(default_factory=Receivers)
    # Whose turn it is at what must not be asked by all of this process at once.
    turns: Turns = field(default_factory=Turns)

    def now(self) -> datetime:
        return self.clock()
