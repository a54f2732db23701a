"""JSON Merge Patch (RFC 7396)."""

from .schema import Json


def patched(target: Json, patch: Json) -> Json:
    """A value with a patch applied (section 2)."""
    if not isinstance(patch, dict):
        return patch
    kept = target if isinstance(target, dict) else {}
    changed = {name: patched(kept.get(name), value) for name, value in patch.items() if value is not None}
    return {name: value for name, value in {**kept, **changed}.items() if name in changed or name not in patch}
