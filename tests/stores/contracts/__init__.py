"""The contract of stores, by port."""
