"""Path templates, such as `/pets/{petId}` (OpenAPI 3.0, Path Templating)."""

import re

PARAMETER = re.compile(r"\{([^{}]*)\}")


def parameters_of(path: str) -> list[str]:
    """The names of a path's parameters, in their order."""
    return PARAMETER.findall(path)


def blank(path: str) -> str:
    """A path without the names of its parameters."""
    return PARAMETER.sub("{}", path)
