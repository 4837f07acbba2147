"""Mangled files of all kinds that biosnn reads: each is read, or refused with an error of ours (`make fuzz`)."""
