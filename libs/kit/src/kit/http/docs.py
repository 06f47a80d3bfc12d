"""The OpenAPI document of a service and the page that shows it, without any address outside the service.

The document says of every route which scope and which region rule it has, and which problems it may answer.
"""

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute, iter_route_contexts

from kit.auth.scopes import Public, Requirement, access
from kit.http import idempotency
from kit.http.problems import MEDIA_TYPE, problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kit.service import Service

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "init.js": "text/javascript; charset=utf-8",
    "LICENSES.txt": "text/plain; charset=utf-8",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_TEXT = {"type": "string"}
_REASON_PARTS: dict[str, Any] = {
    "code": {**_TEXT, "description": "Stable code of the reason (contracts/reference/reasons.yaml)."},
    "text_id": {**_TEXT, "description": "For people, Indonesian."},
    "text_en": {**_TEXT, "description": "For people, English."},
    "next_id": {**_TEXT, "description": "What to do now, Indonesian."},
    "next_en": {**_TEXT, "description": "What to do now, English."},
}
_REASON = {"type": "object", "required": ["code", "text_id", "text_en"], "properties": _REASON_PARTS}
_FAULT = {**_REASON, "properties": {"pointer": {**_TEXT, "format": "json-pointer"}, **_REASON_PARTS}}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details; never repeats what was sent.",
    "required": ["type", "title", "status", "trace_id"],
    "properties": {
        "type": {**_TEXT, "format": "uri"},
        "title": _TEXT,
        "title_id": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "detail_id": _TEXT,
        "instance": _TEXT,
        "trace_id": {**_TEXT, "description": "Quote it when you report the problem."},
        "reasons": {"type": "array", "items": _REASON},
        "errors": {"type": "array", "items": _FAULT},
    },
}


def routes(app: FastAPI) -> "Iterator[tuple[str, str, Requirement | Public]]":
    """Every operation of a service: method, path, and what it asks of its caller."""
    for context in iter_route_contexts(app.routes):
        rule = access(context.dependant) if isinstance(context.original_route, APIRoute) else None
        if rule is not None:
            for method in sorted(context.methods or ()):
                yield method, context.path_format or "", rule


def document(app: FastAPI, service: "Service") -> dict[str, Any]:
    """The OpenAPI 3.1 document, made once per process."""
    settings = app.state.runtime.settings
    made = get_openapi(
        title=service.title, version=app.version, openapi_version="3.1.0", routes=app.routes,
        summary=f"Santun {service.name}", description=service.description,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": settings.public_url}] if settings.public_url else None,
    )  # fmt: skip
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    discovery = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    components["securitySchemes"] = {"oidc": {"type": "openIdConnect", "openIdConnectUrl": discovery}}
    for method, path, rule in routes(app):
        operation = made["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            _describe(operation, method, rule)
    return made


def _describe(operation: dict[str, Any], method: str, rule: Requirement | Public) -> None:
    answers = operation.setdefault("responses", {})
    if "422" in answers and MEDIA_TYPE not in answers["422"].get("content", {}):
        del answers["422"]
    expected = {400, 422, 431, 500, 503} | (set() if isinstance(rule, Public) else {401, 403})
    if "requestBody" in operation or method == "POST":
        expected |= {408, 413}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == idempotency.HEADER:
            parameter["required"] = method == "POST"
            parameter["schema"] = {"type": "string", "minLength": 8, "maxLength": 64, "pattern": "^[!-~]+$"}
            expected |= {409}
        elif parameter["name"] == "If-Match":
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "pattern": '^"[1-9][0-9]*"$', "examples": ['"7"']}
            expected |= {412, 428}
    for status, answer in problems(*sorted(expected)).items():
        answers.setdefault(str(status), answer)
    if isinstance(rule, Public):
        operation["security"] = []
        operation["x-public-because"] = rule.reason
    else:
        operation["security"] = [{"oidc": [rule.scope]}]
        operation["x-region"] = rule.region.rule
        if rule.region.reason:
            operation["x-region-because"] = rule.region.reason


def router(app: FastAPI, service: "Service") -> APIRouter:
    """`/openapi.json` and `/docs` with its assets; all of it public and the same for everyone."""
    pages = APIRouter(include_in_schema=False)
    shown: dict[str, Any] = {}
    ui = files("kit.http") / "ui"

    @pages.get("/openapi.json")
    async def openapi() -> JSONResponse:
        if not shown:
            shown.update(document(app, service))
        return JSONResponse(shown, headers={"Cache-Control": "public, max-age=60"})

    @pages.get("/docs")
    async def docs() -> Response:
        page = (ui / "index.html").read_bytes()
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    @pages.get("/docs/{asset}")
    async def docs_asset(asset: str) -> Response:
        if asset not in _ASSETS:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response((ui / asset).read_bytes(), media_type=_ASSETS[asset], headers=headers)

    return pages
