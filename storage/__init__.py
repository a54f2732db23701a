"""The stores of documents, independent of HTTP; of the API they know only the `x-resource` declarations."""
