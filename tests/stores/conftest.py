"""The contract's asserts are explained like those of any test file."""

import pytest

for part in ("counters", "inquiries", "ledger", "outbox", "retention", "store"):
    pytest.register_assert_rewrite(f"tests.stores.contracts.{part}")
