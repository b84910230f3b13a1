"""The command `formwarden`."""
