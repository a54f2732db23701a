"""The commands that judge servers, clients and recordings against the contract, by the engine in `contract`."""
