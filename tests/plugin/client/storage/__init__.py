"""The client team's own storage."""

WHOSE = "the client team's"
