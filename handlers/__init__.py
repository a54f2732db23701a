"""The handlers of operations, one thin function for each, and the problem of each domain error."""
