"""The SQLite store keeps the contract."""

from pathlib import Path

from tests.stores.contract import StoreContract


class TestSqliteStore(StoreContract):
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'store.db'}"
