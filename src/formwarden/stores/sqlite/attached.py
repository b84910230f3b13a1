"""A connection of a command's own to a file that stands: beside the workers, with their lock and their retries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import apsw

from formwarden.entropy import Entropy
from formwarden.faults import Faults
from formwarden.stores.sqlite.mounts import Mounts, system_mounts
from formwarden.stores.sqlite.opening import Opener, Plan
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.remedies import BUSY, store_error

T = TypeVar("T")
PATIENCE_S: Final = 10.0  # a command may wait longer than a visitor


class Attached:
    """One file, opened by a command. Errors of the file come as StoreError, with their remedy."""

    def __init__(
        self,
        plan: Plan,
        *,
        entropy: Entropy,
        faults: Faults,
        mounts: Mounts = system_mounts,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.plan = plan
        self.patience = Patience(patience_s, entropy)
        self._opener = Opener(plan, mounts=mounts, patience=self.patience, faults=faults)

    @contextmanager
    def as_it_is(self) -> Iterator[apsw.Connection]:
        """Connect without migrating; the file must stand."""
        with self._closing(lambda: self._opener.another().connection) as connection:
            yield connection

    @contextmanager
    def migrated(self) -> Iterator[apsw.Connection]:
        """Connect, having brought the file to the newest schema."""
        with self._closing(lambda: self._opener.open().connection) as connection:
            yield connection

    def write(self, connection: apsw.Connection, operation: Callable[[apsw.Connection], T]) -> T:
        """Run an operation in one transaction, all or nothing."""
        self.patience.until_free(lambda: connection.execute("BEGIN IMMEDIATE"), BUSY)
        try:
            result = operation(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return result

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn errors of the file into StoreError, with the remedy."""
        try:
            yield
        except (apsw.Error, BlockingIOError) as error:
            raise store_error(self.plan.path, error) from error

    @contextmanager
    def _closing(self, connect: Callable[[], apsw.Connection]) -> Iterator[apsw.Connection]:
        with self.errors():
            connection = connect()
            try:
                yield connection
            finally:
                self._opener.close(connection)
