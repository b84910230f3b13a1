"""The contract's asserts are explained like those of any test file."""

import pytest

for part in (
    "breakers",
    "budgets",
    "clocks",
    "counters",
    "inquiries",
    "leases",
    "ledger",
    "measures",
    "outbox",
    "queue",
    "retention",
    "statistics",
    "store",
):
    pytest.register_assert_rewrite(f"tests.stores.contracts.{part}")
