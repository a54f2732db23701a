"""Who calls: from a bearer token to a role and what it owns, and what follows from that for what is stored."""
