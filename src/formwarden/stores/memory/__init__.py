"""The store of tests and of `memory://`: one process, gone with it, otherwise the same."""

from formwarden.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
