"""The contract: every store's test class inherits it whole and says how its store is opened."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Store
from formwarden.stores.settings import Stores
from tests.clock import MovableClock
from tests.stores.contracts.asking import AskingContract
from tests.stores.contracts.bounds import BoundsContract
from tests.stores.contracts.breakers import (
    BreakerClocksContract,
    BreakersContract,
    ComplaintsContract,
    ProbesContract,
)
from tests.stores.contracts.budgets import BudgetsContract
from tests.stores.contracts.clocks import ClocksContract
from tests.stores.contracts.counters import CountersContract
from tests.stores.contracts.inquiries import InquiriesContract
from tests.stores.contracts.leases import LeasesContract
from tests.stores.contracts.ledger import LedgerContract
from tests.stores.contracts.measures import MeasuresContract, MeasuresRetentionContract
from tests.stores.contracts.outbox import OutboxContract
from tests.stores.contracts.queue import MarksContract, QueueContract
from tests.stores.contracts.retention import RetentionContract
from tests.stores.contracts.statistics import StatisticsContract
from tests.stores.contracts.store import WholeStoreContract
from tests.stores.contracts.telling import TellingContract


class StoreContract(
    AskingContract,
    BoundsContract,
    BreakerClocksContract,
    BreakersContract,
    BudgetsContract,
    ClocksContract,
    ComplaintsContract,
    CountersContract,
    InquiriesContract,
    LeasesContract,
    LedgerContract,
    MarksContract,
    MeasuresContract,
    MeasuresRetentionContract,
    OutboxContract,
    ProbesContract,
    QueueContract,
    RetentionContract,
    StatisticsContract,
    TellingContract,
    WholeStoreContract,
):
    """Everything a store promises."""

    def url(self, tmp_path: Path) -> str:
        """The URL of a new store."""
        raise NotImplementedError

    @pytest.fixture
    async def store(self, tmp_path: Path, clock: MovableClock) -> AsyncIterator[Store]:
        store = open_store(
            self.url(tmp_path), clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock)
        )
        yield store
        await store.aclose()
