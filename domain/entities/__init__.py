"""Entities: what their events make of them, at any moment."""
