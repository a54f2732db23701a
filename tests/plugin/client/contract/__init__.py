"""The client team's own contracts."""

WHOSE = "the client team's"
