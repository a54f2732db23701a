"""Holding servers, clients and recordings to the contract. The engine in `contract` judges; here is what asks it."""
