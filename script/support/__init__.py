"""What demo, black-box tests and benchmarks share: a running server, its partners and its bank."""
