"""The memory store keeps the contract."""

from pathlib import Path

from tests.stores.contract import StoreContract


class TestMemoryStore(StoreContract):
    def url(self, tmp_path: Path) -> str:  # noqa: ARG002 - it has no path
        return "memory://"
