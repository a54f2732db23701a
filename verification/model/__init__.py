"""A model of the resources: conversations of requests, and the responses that a server must give."""
