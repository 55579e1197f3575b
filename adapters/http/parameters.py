"""Reading the parameters of a query into models."""

import re
from collections.abc import Iterator
from typing import TypeVar, get_origin
from urllib.parse import unquote_to_bytes

from aiohttp import web
from pydantic import BaseModel, ValidationError

from adapters.http.problems import InvalidQuery
from domain.errors import FieldError

_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Nothing(BaseModel):
    """No further parameters."""


M1 = TypeVar("M1", bound=BaseModel)
M2 = TypeVar("M2", bound=BaseModel)


def parse(request: web.Request, first: type[M1], second: type[M2]) -> tuple[M1, M2]:
    """The parameters as two models. Raises InvalidQuery that names each parameter which does not fit."""
    if unreadable := list(_badly_encoded(request)):
        raise InvalidQuery(unreadable)
    errors = [
        FieldError(name, f"is no parameter of this query; there are {', '.join(_names(first, second))}")
        for name in dict.fromkeys(request.query)
        if name not in _names(first, second)
    ]
    one, two = _model(request, first, errors), _model(request, second, errors)
    if one is None or two is None or errors:
        raise InvalidQuery(errors)
    return one, two


def _badly_encoded(request: web.Request) -> Iterator[FieldError]:
    """The parameters that are no text: the library would take them by the letter."""
    for part in request.raw_path.encode(errors="surrogateescape").partition(b"?")[2].split(b"&"):
        if _STRAY_PERCENT.search(part) or not _is_utf_8(unquote_to_bytes(part)):
            name = part.partition(b"=")[0].decode(errors="backslashreplace")
            yield FieldError(name, "must be text in UTF-8, percent-encoded (RFC 3986, section 2.1)")


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _names(*models: type[BaseModel]) -> list[str]:
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


def is_repeatable(model: type[BaseModel], name: str) -> bool:
    return get_origin(model.model_fields[name].annotation) is tuple


def _model(request: web.Request, model: type[M1], errors: list[FieldError]) -> M1 | None:
    data: dict[str, object] = {}
    for name, field in model.model_fields.items():
        parameter = field.alias or name
        values = request.query.getall(parameter, [])
        if any("\0" in value for value in values):
            errors.append(FieldError(parameter, "must not contain the character NUL (U+0000)"))
        elif is_repeatable(model, name):
            data[parameter] = values
        elif len(values) > 1:
            errors.append(FieldError(parameter, "may be given once only"))
        elif values:
            data[parameter] = values[0]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            name = str(item["loc"][0]) if item["loc"] else "from"
            errors.append(FieldError(name, item["msg"].removeprefix("Value error, ")))
        return None
