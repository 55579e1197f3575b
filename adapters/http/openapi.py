"""The description of the API in OpenAPI 3.1, made from the routes and the catalogue."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import orjson
from openapi_pydantic import (
    Components,
    Info,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
)
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.http.problems import CONTENT_TYPE
from adapters.http.routes import Content, Route
from adapters.http.schemas import Problem
from domain.activity import Activity, Catalogue
from domain.command import Envelope
from domain.words import Status

_REF = "#/components/schemas/{model}"
_PATH_PARAMETERS = {
    "event_id": "The event's id, a UUID.",
    "verification_id": "The id of the verification, a UUID.",
    "quarantine_id": "The id in quarantine, a UUID.",
    "size": "How many leaves the tree has: the position of the last event that the checkpoint covers.",
    "position": "The event's number in its ledger, from 1.",
    "type": "The type of an entity, as `certificate`.",
    "id": "The id of an entity.",
    "finding_id": "The finding's id, as `key_outside_ceremony-4711`.",
}


def document(routes: Sequence[Route], catalogue: Catalogue) -> bytes:
    """The description as JSON."""
    schemas = _schemas(routes, catalogue)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    api = OpenAPI(
        openapi="3.1.1",
        info=Info(
            title="CertiNext audit trail",
            version=version("certinext-audit"),
            description="Who did what, when, with what outcome, and the proof of it.",
        ),
        paths={path: PathItem(**operations) for path, operations in paths.items()},
        components=Components(
            schemas={name: Schema.model_validate(schema) for name, schema in schemas.items()},
            securitySchemes={
                "key": SecurityScheme(type="http", scheme="bearer", description="An API key of the service.")
            },
        ),
    )
    return orjson.dumps(api.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True))


def _operation(route: Route) -> Operation:
    responses = {
        str(status): Response(description=words, content=_content([content]))
        for status, (words, content) in route.answers.items()
    }
    for status in route.problems:
        responses.setdefault(
            str(status),
            Response(description=_WORDS[status], content=_content([Content(CONTENT_TYPE, Problem)])),
        )
    return Operation(
        operationId=route.name,
        summary=route.summary,
        description=" ".join((route.handler.__doc__ or "").split()),
        parameters=[*_path_parameters(route), *_query_parameters(route)] or None,
        requestBody=_body(route),
        responses=responses,
        security=[{"key": []}] if route.roles else [],
    )


def _body(route: Route) -> RequestBody | None:
    if not route.body:
        return None
    return RequestBody(content=_content(route.body), required=not all(content.optional for content in route.body))


_WORDS = {
    400: "The body is not JSON.",
    401: "No valid API key was sent.",
    403: "The credential may not do this.",
    404: "There is no such thing.",
    409: "The command id was used before, for a command of other content; or a record of the ledger does not hold.",
    413: "What was sent is too large.",
    415: "The body is of a type that is not accepted.",
    422: "Fields or parameters do not fit; each is named.",
    426: "Connect with a WebSocket.",
    429: "The credential has too many connections to the feed.",
    503: "It cannot be done now: try again after `Retry-After` seconds.",
}


def _content(contents: Iterable[Content]) -> dict[str, MediaType]:
    return {
        content.media_type: MediaType(
            schema=None
            if content.model is None
            else Reference.model_validate({"$ref": _REF.format(model=_name(content.model))})
        )
        for content in contents
    }


def _name(model: type[BaseModel]) -> str:
    return "Command" if model is Envelope else model.__name__


def _path_parameters(route: Route) -> list[Parameter]:
    return [
        _parameter(name, "path", words, {"type": "string"}, required=True)
        for name, words in _PATH_PARAMETERS.items()
        if f"{{{name}}}" in route.path
    ]


def _query_parameters(route: Route) -> list[Parameter]:
    found = []
    for model in route.query:
        properties = model.model_json_schema(ref_template=_REF)["properties"]
        for name, field in model.model_fields.items():
            schema = dict(properties[field.alias or name])
            schema.pop("title", None)
            words = schema.pop("description", "")
            found.append(_parameter(field.alias or name, "query", words, schema, required=field.is_required()))
    return found


def _parameter(name: str, place: str, description: str, schema: dict[str, Any], *, required: bool) -> Parameter:
    return Parameter.model_validate(
        {
            "name": name,
            "in": place,
            "description": description,
            "required": required,
            "schema": schema,
        }
    )


def _schemas(routes: Sequence[Route], catalogue: Catalogue) -> dict[str, Any]:
    models: dict[type[BaseModel], None] = {Problem: None}
    for route in routes:
        contents = [*route.body, *(content for _, content in route.answers.values())]
        models |= dict.fromkeys(content.model for content in contents if content.model)
        models |= dict.fromkeys(route.query)
    models |= {activity.details_for(status): None for activity in catalogue for status in Status}
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    for activity in catalogue:
        schemas[activity.command] = _command(activity)
    envelope = schemas["Envelope"]
    # Each command closes the object itself, since it adds the details.
    envelope.pop("additionalProperties")
    schemas["Command"] = {
        "oneOf": [{"$ref": _REF.format(model=activity.command)} for activity in catalogue],
        "discriminator": {
            "propertyName": "command",
            "mapping": {activity.command: _REF.format(model=activity.command) for activity in catalogue},
        },
    }
    return schemas


def _command(activity: Activity) -> dict[str, Any]:
    def details(status: Status) -> dict[str, Any]:
        return {"properties": {"details": {"$ref": _REF.format(model=activity.details_for(status).__name__)}}}

    needs_details = any(field.is_required() for field in activity.details.model_fields.values())
    return {
        "description": activity.description,
        "allOf": [{"$ref": _REF.format(model="Envelope")}],
        "properties": {"command": {"const": activity.command}, "details": {"type": "object"}},
        "if": {"properties": {"status": {"const": Status.SUCCESS.value}}},
        "then": details(Status.SUCCESS) | ({"required": ["details"]} if needs_details else {}),
        "else": details(Status.FAILURE),
        "unevaluatedProperties": {"not": {}},
    }
