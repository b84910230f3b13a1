"""Signals: pure functions of a submission and the facts about it."""
