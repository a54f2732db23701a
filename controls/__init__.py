"""The mock's controls: sessions with their own state, journal, rules and clock, and the operations on them."""
