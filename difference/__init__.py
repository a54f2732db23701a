"""What a change of the contract does to those who relied on it."""
