"""The client team's own handlers."""

WHOSE = "the client team's"
