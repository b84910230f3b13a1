"""What formwarden costs: measured beside the bare app, in interleaved rounds of one run. Asserts nothing."""
