"""Findings: what does not add up in the events, by rules that each see every event once, in the order of recording."""
