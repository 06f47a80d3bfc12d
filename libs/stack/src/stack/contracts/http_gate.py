"""The compatibility gate of the HTTP interfaces: an OpenAPI document may only grow.

Refused: a path, operation or answer that is gone, a newly required parameter or request field, a field gone from an
answer, a narrower type, a value that is no longer accepted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
_WORDS = frozenset({"title", "description", "summary", "examples", "example", "tags", "operationId", "externalDocs"})
_LOWER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties")
_RAISE = ("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties")


def normal(node: Any, *, names: bool = False) -> Any:
    """The document without words for people. `names`: the keys of this object are names, not keywords."""
    if isinstance(node, Mapping):
        return {
            key: normal(value, names=not names and key in {"properties", "schemas", "paths", "responses", "$defs"})
            for key, value in sorted(node.items())
            if names or (key not in _WORDS and key not in {"info", "servers"})
        }
    return [normal(item) for item in node] if isinstance(node, list) else node


class Comparison:
    """One old and one new document; `breaks()` says what a caller of the old one would feel."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, bool]] = set()

    def breaks(self) -> list[str]:
        """Every break, one sentence each."""
        return list(self._operations())

    def _operations(self) -> Iterator[str]:
        for path, item in self._old.get("paths", {}).items():
            if path not in self._new.get("paths", {}):
                yield f"{path} is gone"
                continue
            for method in METHODS:
                if method not in item:
                    continue
                after = self._new["paths"][path].get(method)
                at = f"{method.upper()} {path}"
                if after is None:
                    yield f"{at} is gone"
                    continue
                yield from self._parameters(at, item[method], after)
                yield from self._request(at, item[method], after)
                yield from self._responses(at, item[method], after)

    def _parameters(self, at: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old.get("parameters", ())}
        after = {(p["in"], p["name"]): p for p in new.get("parameters", ())}
        for key, parameter in after.items():
            was = before.get(key)
            if parameter.get("required") and not (was and was.get("required")):
                yield f"{at}: {key[0]} parameter {key[1]} is newly required"
            if was is not None:
                yield from self._schema(
                    f"{at} {key[1]}", was.get("schema", {}), parameter.get("schema", {}), asked=True
                )
        for key in before.keys() - after.keys():
            yield f"{at}: {key[0]} parameter {key[1]} is gone"

    def _request(self, at: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        before, after = old.get("requestBody"), new.get("requestBody")
        if after and after.get("required") and not (before and before.get("required")):
            yield f"{at}: a body is newly required"
        for media, body in (before or {}).get("content", {}).items():
            if after is None or media not in after["content"]:
                yield f"{at}: {media} is no longer accepted"
            else:
                yield from self._schema(
                    f"{at} body ", body.get("schema", {}), after["content"][media].get("schema", {}), asked=True
                )

    def _responses(self, at: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        for status, answer in old.get("responses", {}).items():
            after = new.get("responses", {}).get(status)
            if after is None:
                yield f"{at}: answer {status} is gone"
                continue
            for media, body in answer.get("content", {}).items():
                if media not in after.get("content", {}):
                    yield f"{at}: answer {status} is no longer {media}"
                else:
                    yield from self._schema(
                        f"{at} {status} ",
                        body.get("schema", {}),
                        after["content"][media].get("schema", {}),
                        asked=False,
                    )

    def _schema(self, at: str, old: Mapping[str, Any], new: Mapping[str, Any], *, asked: bool) -> Iterator[str]:
        """`asked`: callers send it, so it may accept more; else they read it, so it may promise more."""
        if "$ref" in old and "$ref" in new:
            pair = (str(old["$ref"]), str(new["$ref"]), asked)
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolve(old, self._old), _resolve(new, self._new)
        for many in ("anyOf", "oneOf", "allOf"):
            if many in old or many in new:
                yield from self._choices(at, old.get(many, [old]), new.get(many, [new]), asked=asked)
                return
        yield from _narrower(at, old, new, asked=asked)
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            yield f"{at}/{name} is gone"
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(must_after - must_before if asked else (must_before - must_after) & after.keys()):
            yield f"{at}/{name} is {'newly required' if asked else 'no longer promised'}"
        for name in sorted(before.keys() & after.keys()):
            yield from self._schema(f"{at}/{name}", before[name], after[name], asked=asked)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), Mapping) and isinstance(new.get(part), Mapping):
                yield from self._schema(f"{at}/[]", old[part], new[part], asked=asked)

    def _choices(self, at: str, old: list[Any], new: list[Any], *, asked: bool) -> Iterator[str]:
        """Every form that a caller may send stays accepted; every form that is answered was known."""
        promised, offered = (old, new) if asked else (new, old)
        for choice in promised:
            tries = [
                self._tried(at, *((choice, other) if asked else (other, choice)), asked=asked) for other in offered
            ]
            if not any(not faults for faults in tries):
                yield min(tries, key=len)[0]

    def _tried(self, at: str, old: Mapping[str, Any], new: Mapping[str, Any], *, asked: bool) -> list[str]:
        seen, self._seen = self._seen, set(self._seen)
        try:
            return list(self._schema(at, old, new, asked=asked))
        finally:
            self._seen = seen


def _resolve(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        schema = found
    return schema


def _types(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type")
    return set(kind) if isinstance(kind, list) else {kind} if kind else set()


def _narrower(at: str, old: Mapping[str, Any], new: Mapping[str, Any], *, asked: bool) -> Iterator[str]:
    before, after = _types(old), _types(new)
    wide = {"integer", "number"} if "number" in (after if asked else before) else set()
    if (
        (after and (not before or not before <= after | wide))
        if asked
        else (before and (not after or not after <= before | wide))
    ):
        yield f"{at}: another type ({sorted(before)} to {sorted(after)})"
    for keyword in ("format", "pattern", "const"):
        if (keyword in new if asked else keyword in old) and old.get(keyword) != new.get(keyword):
            yield f"{at}: another {keyword}"
    if asked and "enum" in new and (lost := set(old.get("enum", ("any value",))) - set(new["enum"])):
        yield f"{at}: {sorted(map(str, lost))} no longer accepted"
    if not asked and "enum" in old and (lost := set(old["enum"]) - set(new.get("enum", old["enum"]))):
        yield f"{at}: {sorted(map(str, lost))} gone"
    if not asked:
        return
    for keywords, sign in ((_LOWER, 1), (_RAISE, -1)):
        for keyword in keywords:
            if keyword in new and (keyword not in old or (old[keyword] - new[keyword]) * sign > 0):
                yield f"{at}: {keyword} is stricter"
    if old.get("additionalProperties", True) is not False and new.get("additionalProperties", True) is False:
        yield f"{at}: unknown fields are newly refused"
