"""Schemathesis against one of our interfaces, in-process: what is documented is tried, and what is not is tried too."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response

#: Of each operation; the soak sets more.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
PROBLEM = "application/problem+json"


@dataclass
class Fuzzing:
    """One run over every operation of an interface.

    Attributes
    ----------
    known
        Values by the name of a path's or a body's member: so that not every id is of nothing.
    leave_out
        Operations, by ``operationId``, with the reason for which they are not tried.
    """

    prefix: str
    headers: Mapping[str, str]
    known: Mapping[str, object]
    cookies: Mapping[str, str] = field(default_factory=dict)
    leave_out: Mapping[str, str] = field(default_factory=dict)
    examples: int = EXAMPLES
    statuses: dict[str, set[int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self) -> Fuzzing:
        """Try every operation; what is wrong is in ``failures``, a line each."""
        schema = schemathesis.openapi.from_wsgi(
            f"{self.prefix}openapi.json", _closing(get_wsgi_application())
        )
        self.documented = Documented(schema.raw_schema)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            if operation.definition.raw["operationId"] in self.leave_out:
                continue
            for mode in MODES:
                self._try(operation, mode)
        return self

    def _try(self, operation: Any, mode: GenerationMode) -> None:
        label = operation.label
        seen = self.statuses.setdefault(label, set())

        @seed(20261123)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Case) -> None:
            self._put_known(case)
            response = case.call(headers=dict(self.headers), cookies=dict(self.cookies))
            seen.add(response.status_code)
            found = list(self._judge(case, response))
            if found:
                self.failures.append(f"{label} ({mode.name.lower()}): {'; '.join(found)}\n    {_spell(case)}")

        try:
            one()
        except BaseException as trouble:
            # Of an operation that takes nothing there is no wrong request to be made.
            if "Unsatisfiable" not in type(trouble).__name__ and "Skip" not in type(trouble).__name__:
                raise

    def _judge(self, case: Case, response: Response) -> Iterator[str]:
        kind = (response.headers.get("content-type") or [""])[0].partition(";")[0]
        if response.status_code >= 500 and response.status_code not in (501, 503, 507):
            yield f"{response.status_code}: {response.text[:300]}"
        if response.status_code >= 400:
            if response.request.method == "HEAD":
                return
            if kind != PROBLEM:
                yield f"{response.status_code} is {kind!r}, no problem document"
                return
            document = response.json()
            wrong = [k for k in ("type", "title", "status", "detail", "code") if k not in document]
            if wrong or document["status"] != response.status_code:
                yield f"the problem document lacks {wrong} or states another status"
        yield from self.documented.differences(case.operation.definition.raw, response, kind)

    def _put_known(self, case: Case) -> None:
        """Put ids of things that exist in the place of made-up ones, in two of three requests."""
        rng = random.Random(repr(sorted((case.path_parameters or {}).items())))
        for name in case.path_parameters or {}:
            if name in self.known and (name == "town" or rng.random() < 0.67):
                case.path_parameters[name] = str(self.known[name])
        if isinstance(case.body, dict):
            self._put_known_in(case.body, rng)

    def _put_known_in(self, body: dict[str, Any], rng: random.Random) -> None:
        for name, value in body.items():
            if name in self.known and rng.random() < 0.67:
                body[name] = str(self.known[name])
            elif isinstance(value, dict):
                self._put_known_in(value, rng)
            elif isinstance(value, list):
                for inner in value:
                    if isinstance(inner, dict):
                        self._put_known_in(inner, rng)


class Documented:
    """Holds answers against a document of OpenAPI 3.1.

    Ours and not schemathesis' own check, which spells tuples as JSON Schema did before 2020 and then finds
    the document wrong.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        self._validators: dict[str, Draft202012Validator] = {}

    def differences(self, operation: dict[str, Any], response: Response, kind: str) -> Iterator[str]:
        """Give a line for each way in which an answer is not the documented one."""
        code = str(response.status_code)
        responses = operation["responses"]
        stated = responses.get(code) or responses.get(f"{code[0]}XX") or responses.get("default")
        if stated is None:
            yield f"{code} is not documented"
            return
        content = stated.get("content")
        if not content or response.request.method == "HEAD":
            return
        if kind not in content:
            yield f"{code} is {kind!r}, documented are {sorted(content)}"
            return
        schema = content[kind].get("schema")
        if schema and "json" in kind:
            for error in self._validator(schema).iter_errors(response.json()):
                yield f"{code}: {'/'.join(map(str, error.instance_path))}: {error.message[:200]}"

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(
                {**schema, "components": self._components}, validate_formats=True
            )
        return self._validators[key]


def _closing(app: Any) -> Any:
    """Read an answer whole and close it, as every real server does."""

    def closing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = app(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return closing


def _spell(case: Case) -> str:
    body = "" if type(case.body).__name__ == "NotSet" else f" body={case.body!r}"
    return f"{case.method} {case.formatted_path} query={case.query!r} headers={dict(case.headers or {})!r}{body}"[
        :900
    ]
