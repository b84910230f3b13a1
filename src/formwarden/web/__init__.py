"""Doors to ASGI."""
