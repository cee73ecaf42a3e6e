"""One pure module per noun: its events, `decide` and `evolve`. No I/O, no clock, no randomness."""
