"""What each operation does, in domain words: one thin function for each, and the problem of each domain error."""
