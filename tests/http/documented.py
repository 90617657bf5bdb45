"""Checks every response against the OpenAPI document: its status, headers, media type and body."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx2
from attrs import define, field
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ROOT = "urn:openapi"

NOT_DOCUMENTED = re.compile(r"/static/.*")
"""Files are not part of OpenAPI."""

ALWAYS = ("X-Request-ID", "X-Process-Time", "X-Content-Type-Options", "Referrer-Policy")

OF_ANY_ANSWER = frozenset(
    ("cache-control", "connection", "content-encoding", "content-length", "content-type", "vary", "x-accel-buffering")
)
"""Headers about the message itself. The document need not name them."""


class NotDocumented(AssertionError):
    """A response that the OpenAPI document does not allow."""


@define(eq=False)
class Documented:
    """An OpenAPI document, and what it says about responses."""

    document: dict[str, Any]
    _registry: Registry[Any] = field(init=False)
    _validator: Callable[[str], Draft202012Validator] = field(init=False)
    _templates: list[tuple[re.Pattern[str], str]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._registry = Registry().with_resource(ROOT, DRAFT202012.create_resource(self.document))
        self._validator = cache(self._made)
        # The plainest template counts: one with fewer parameters, or with something behind its last one.
        templates = sorted(self.document["paths"], key=lambda each: (each.count("{"), each.endswith("}")))
        self._templates = [(_pattern(template), template) for template in templates]

    def check(self, response: httpx2.Response, *, whole: bool) -> None:
        """Raise `NotDocumented` if a response is not as documented. The body of a `whole` response is checked, too."""
        violations = [*self._violations(response, whole=whole)]
        if violations:
            request = response.request
            asked = f"{request.method} {path_of(request)}"
            raise NotDocumented(f"{asked} {response.status_code}: {'; '.join(violations)}")

    def _violations(self, response: httpx2.Response, *, whole: bool) -> Iterator[str]:
        yield from self._header_violations(response, "/components/headers", ALWAYS)
        path, method = path_of(response.request), response.request.method
        template = next((template for pattern, template in self._templates if pattern.fullmatch(path)), None)
        if template is None:
            if not NOT_DOCUMENTED.fullmatch(path) and response.status_code not in (400, 401, 403, 404, 429):
                yield "neither the path is documented, nor the answer a refusal"
            if response.is_error:
                yield from self._problem_violations(response)
            return
        operations = self.document["paths"][template]
        operation = operations.get("get" if method == "HEAD" else method.lower())
        if operation is None:
            yield from self._unlisted(response, operations)
            return
        described = operation["responses"].get(str(response.status_code))
        if described is None:
            yield "the status is not documented"
            return
        place = f"/paths/{_escaped(template)}/{'get' if method == 'HEAD' else method.lower()}"
        place += f"/responses/{response.status_code}"
        yield from self._header_violations(response, f"{place}/headers", ())
        known = {name.lower() for name in described.get("headers", {})} | OF_ANY_ANSWER
        unknown = {name for name in response.headers if not name.startswith("access-control-")} - known
        if unknown:
            yield f"the headers {sorted(unknown)} are not documented"
        yield from self._content_violations(response, described.get("content", {}), place, whole=whole)

    def _unlisted(self, response: httpx2.Response, operations: dict[str, Any]) -> Iterator[str]:
        """Yield the violations in a response to a method that the path does not document."""
        methods = {method.upper() for method in operations} | ({"HEAD"} if "get" in operations else set()) | {"OPTIONS"}
        if "access-control-request-method" in response.request.headers:
            return
        if response.status_code in (204, 405):
            if methods != set(response.headers["allow"].split(", ")):
                yield f"Allow is {response.headers['allow']} instead of {methods}"
        elif response.status_code not in (400, 401, 403, 429):
            yield "the method is not documented"
        if response.is_error:
            yield from self._problem_violations(response)

    def _problem_violations(self, response: httpx2.Response) -> Iterator[str]:
        if response.headers.get("content-type") != "application/problem+json":
            yield "it is no problem"
        elif response.request.method != "HEAD":
            yield from self._body_violations(response.content, "/components/schemas/Problem")

    def _header_violations(self, response: httpx2.Response, place: str, needed: tuple[str, ...]) -> Iterator[str]:
        described = self._at(place)
        for name in needed or described:
            value = response.headers.get(name)
            if value is None:
                if needed:
                    yield f"there is no {name}"
                continue
            pointer = described[name].get("$ref", f"#{place}/{name}")[1:]
            schema = self._at(pointer)["schema"]
            typed = int(value) if schema.get("type") == "integer" else value
            yield from (f"{name}: {each.message}" for each in self._validator(f"{pointer}/schema").iter_errors(typed))

    def _content_violations(
        self, response: httpx2.Response, content: dict[str, Any], place: str, *, whole: bool
    ) -> Iterator[str]:
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if not content:
            if media_type or (whole and response.content):
                yield "there is a body"
            return
        if media_type not in content:
            yield f"{media_type or 'no media type'} is not documented"
            return
        if not whole or response.request.method == "HEAD":
            return
        if "examples" in content[media_type]:
            code = response.json()["code"]
            if code not in content[media_type]["examples"]:
                yield f"the code {code} is not documented"
        yield from self._body_violations(response.content, f"{place}/content/{_escaped(media_type)}/schema")

    def _body_violations(self, body: bytes, pointer: str) -> Iterator[str]:
        schema = self._at(pointer)
        document = body.decode() if schema.get("type") == "string" else json.loads(body)
        for each in self._validator(pointer).iter_errors(document):
            yield f"{each.json_path}: {each.message[:300]}"

    def _at(self, pointer: str) -> Any:
        found: Any = self.document
        for each in pointer.split("/")[1:]:
            found = found.get(each.replace("~1", "/").replace("~0", "~"), {})
        return found

    def _made(self, pointer: str) -> Draft202012Validator:
        reference = {"$ref": f"{ROOT}#{pointer.replace('{', '%7B').replace('}', '%7D')}"}
        checker = Draft202012Validator.FORMAT_CHECKER
        return Draft202012Validator(reference, registry=self._registry, format_checker=checker)


def path_of(request: httpx2.Request) -> str:
    """Return the path that a request went to, decoded."""
    target: bytes = request.extensions.get("target", request.url.raw_path)
    return unquote(target.partition(b"?")[0].decode())


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{.+?\\}", "[^/]+", re.escape(template)))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
