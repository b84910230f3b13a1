"""The contract's asserts are explained like those of any test file."""

import pytest

for part in (
    "budgets",
    "clocks",
    "counters",
    "inquiries",
    "leases",
    "ledger",
    "outbox",
    "retention",
    "statistics",
    "store",
):
    pytest.register_assert_rewrite(f"tests.stores.contracts.{part}")
