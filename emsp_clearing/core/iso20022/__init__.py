"""ISO 20022 payment messages: what may stand in them, and what a bank answers."""
