"""The one way to a store: by its URL."""

from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.faults import Faults
from formwarden.stores.ports import Store
from formwarden.stores.settings import Stores
from formwarden.stores.split import SplitStore

SQLITE: Final = "sqlite:///"
MEMORY: Final = "memory://"


def open_store(url: str, *, clock: Clock, entropy: Entropy, settings: Stores, faults: Faults) -> Store:
    """Return the store of this URL; touches no disk, the first call opens. ValueError: no store has such a URL.

    With `counters_url` the counters come from there.
    """
    store = _open(url, clock=clock, entropy=entropy, settings=settings, faults=faults)
    if settings.counters_url is None:
        return store
    counters = settings.counters_url.get_secret_value()
    return SplitStore(store, _open(counters, clock=clock, entropy=entropy, settings=settings, faults=faults))


def _open(url: str, *, clock: Clock, entropy: Entropy, settings: Stores, faults: Faults) -> Store:
    if url == MEMORY:
        from formwarden.stores.memory import MemoryStore

        return MemoryStore(clock=clock, entropy=entropy, settings=settings)
    path = url.removeprefix(SQLITE)
    if path == url or not path.strip("/") or path.endswith("/") or "\0" in path or path.startswith(":"):
        scheme = url.partition(":")[0]  # the rest may hold a password
        raise ValueError(
            f"no store for this URL ({scheme}:…): possible are sqlite:///file, sqlite:////absolute/file and memory://"
        )
    from formwarden.stores.sqlite.store import SqliteStore

    return SqliteStore(path, clock=clock, entropy=entropy, settings=settings, faults=faults)
