"""The way of a request: one layer in front of Connexion's routing, one endpoint behind it, and pages beside the API."""
