"""One request as code: a curl command, Python with httpx, JavaScript with fetch."""

import json
import re
import shlex
from collections.abc import Callable

from ..contract.witness import ABSENT
from .samples import MULTIPART, URLENCODED, File, SampleRequest

LOCAL_MOCK = "http://127.0.0.1:8080"
"""The default address of `callconfig serve`."""

_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b')
_PYTHON_WORDS = {"true": "True", "false": "False", "null": "None"}
_HTTPX_WITH_BODY = ("POST", "PUT", "PATCH")
_HTTPX_WITHOUT_BODY = ("GET", "DELETE", "HEAD", "OPTIONS")


def curl(sent: SampleRequest, server: str) -> str:
    parts = [f"curl -i -X {sent.method} {shlex.quote(server + sent.target)}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _own_headers(sent).items()]
    if (fields := sent.fields) is not None:
        option = "-F" if sent.media_type == MULTIPART else "--data-urlencode"
        parts += [f"{option} {shlex.quote(f'{name}={_at(value)}')}" for name, value in fields]
    elif isinstance(sent.body, File):
        parts.append(f"--data-binary @{sent.body}")
    elif sent.body is not ABSENT:
        parts.append(f"-d {shlex.quote(_text(sent))}")
    return " \\\n  ".join(parts)


def python(sent: SampleRequest, server: str) -> str:
    method = sent.method
    has_name = method in (_HTTPX_WITHOUT_BODY if sent.body is ABSENT else _HTTPX_WITH_BODY)
    arguments = [] if has_name else [_quoted(method)]
    arguments.append(_quoted(server + sent.target))
    headers = _own_headers(sent)
    if (fields := sent.fields) is not None:
        arguments.append(_python_form(sent.media_type, fields))
    elif isinstance(sent.body, File):
        arguments.append(f'content=open({_quoted(sent.body)}, "rb").read()')
    elif _is_plain_json(sent):
        del headers["Content-Type"]  # httpx sets it
        text = json.dumps(sent.body, indent=4, ensure_ascii=False)
        arguments.append(f"json={_JSON_TOKEN.sub(lambda token: _PYTHON_WORDS.get(token[0], token[0]), text)}")
    elif sent.body is not ABSENT:
        arguments.append(f"content={_quoted(_text(sent, indent=None))}")
    if headers:
        arguments.append(f"headers={json.dumps(headers, ensure_ascii=False)}")
    called = f"httpx.{method.lower()}" if has_name else "httpx.request"
    call = f"{called}({_arguments(arguments, '    ')})"
    return f"import httpx\n\nresponse = {call}\nprint(response.status_code, response.text)"


def javascript(sent: SampleRequest, server: str) -> str:
    options = [f"method: {_quoted(sent.method)}"] if sent.method != "GET" else []
    headers, fields, before = _own_headers(sent), sent.fields, ""
    if headers:
        options.append(f"headers: {json.dumps(headers, ensure_ascii=False)}")
    if fields is not None and sent.media_type == MULTIPART:
        before = "const body = new FormData();\n"
        before += "".join(f"body.append({_quoted(name)}, {_javascript_field(value)});\n" for name, value in fields)
        options.append("body")
    elif fields is not None:
        options.append(f"body: new URLSearchParams({json.dumps(fields, ensure_ascii=False)})")
    elif isinstance(sent.body, File):
        options.append(f"body: {_javascript_field(sent.body)}")
    elif sent.body is not ABSENT:
        is_text = isinstance(sent.body, str)
        options.append(f"body: {_quoted(sent.body) if is_text else f'JSON.stringify({_text(sent)})'}")
    if "openAsBlob" in "".join((before, *options)):
        before = f'import {{ openAsBlob }} from "node:fs";\n\n{before}'
    second = "{\n" + "".join(f"  {_indented(each, '  ')},\n" for each in options) + "}" if options else ""
    arguments = ", ".join(filter(None, (_quoted(server + sent.target), second)))
    return f"{before}const response = await fetch({arguments});\nconsole.log(response.status, await response.text());"


SNIPPETS: dict[str, tuple[str, Callable[[SampleRequest, str], str]]] = {
    "bash": ("curl", curl),
    "python": ("Python", python),
    "javascript": ("JavaScript", javascript),
}
"""The name and the writer of each language."""


def _own_headers(sent: SampleRequest) -> dict[str, str]:
    """The header fields without the Content-Type of a form, which each client sets itself."""
    return {name: value for name, value in sent.headers.items() if sent.fields is None or name != "Content-Type"}


def _at(value: str) -> str:
    return f"@{value}" if isinstance(value, File) else value


def _python_form(media_type: str, fields: list[tuple[str, str]]) -> str:
    if media_type == URLENCODED:
        every: dict[str, list[str]] = {}
        for name, value in fields:
            every.setdefault(name, []).append(value)
        return f"data={json.dumps(every, indent=4, ensure_ascii=False)}"
    parts = [
        (name, f'open({_quoted(each)}, "rb")' if isinstance(each, File) else f"(None, {_quoted(each)})")
        for name, each in fields
    ]
    inside = "".join(f"    ({_quoted(name)}, {part}),\n" for name, part in parts)
    return f"files=[\n{inside}]"


def _javascript_field(value: str) -> str:
    return f"await openAsBlob({_quoted(value)})" if isinstance(value, File) else _quoted(value)


def _text(sent: SampleRequest, indent: int | None = 2) -> str:
    if isinstance(sent.body, str):
        return sent.body
    return json.dumps(sent.body, indent=indent, ensure_ascii=False)


def _is_plain_json(sent: SampleRequest) -> bool:
    content_type = sent.headers.get("Content-Type", "")
    return sent.body is not ABSENT and not isinstance(sent.body, str) and content_type == "application/json"


def _quoted(text: str) -> str:
    """A string literal for Python and JavaScript."""
    return json.dumps(text, ensure_ascii=False)


def _arguments(arguments: list[str], indent: str) -> str:
    if len(arguments) == 1:
        return arguments[0]
    return "\n" + "".join(f"{indent}{_indented(each, indent)},\n" for each in arguments)


def _indented(text: str, indent: str) -> str:
    return text.replace("\n", f"\n{indent}")
