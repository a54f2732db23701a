"""One request as people send it: a curl command, Python with httpx, JavaScript with fetch."""

import json
import re
import shlex
from collections.abc import Callable

from .exchanges import ABSENT, Sent

LOCAL_MOCK = "http://127.0.0.1:8080"
"""Where `callconfig serve` listens unless told otherwise."""

_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b')
_PYTHON_WORDS = {"true": "True", "false": "False", "null": "None"}
_HTTPX_WITH_BODY = ("POST", "PUT", "PATCH")
_HTTPX_WITHOUT_BODY = ("GET", "DELETE", "HEAD", "OPTIONS")


def curl(sent: Sent, server: str) -> str:
    parts = [f"curl -i -X {sent.method} {shlex.quote(server + sent.target)}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in sent.headers.items()]
    if sent.body is not ABSENT:
        parts.append(f"-d {shlex.quote(_text(sent))}")
    return " \\\n  ".join(parts)


def python(sent: Sent, server: str) -> str:
    method = sent.method
    has_name = method in (_HTTPX_WITHOUT_BODY if sent.body is ABSENT else _HTTPX_WITH_BODY)
    arguments = [] if has_name else [_quoted(method)]
    arguments.append(_quoted(server + sent.target))
    headers = dict(sent.headers)
    if _is_plain_json(sent):
        del headers["Content-Type"]  # httpx sets it
        arguments.append(f"json={_python_literal(json.dumps(sent.body, indent=4, ensure_ascii=False))}")
    elif sent.body is not ABSENT:
        arguments.append(f"content={_quoted(_text(sent, indent=None))}")
    if headers:
        arguments.append(f"headers={json.dumps(headers, ensure_ascii=False)}")
    called = f"httpx.{method.lower()}" if has_name else "httpx.request"
    call = f"{called}({_arguments(arguments, '    ')})"
    return f"import httpx\n\nresponse = {call}\nprint(response.status_code, response.text)"


def javascript(sent: Sent, server: str) -> str:
    options = [f"method: {_quoted(sent.method)}"] if sent.method != "GET" else []
    if sent.headers:
        options.append(f"headers: {json.dumps(dict(sent.headers), ensure_ascii=False)}")
    if sent.body is not ABSENT:
        is_text = isinstance(sent.body, str)
        options.append(f"body: {_quoted(sent.body) if is_text else f'JSON.stringify({_text(sent)})'}")
    second = "{\n" + "".join(f"  {_indented(each, '  ')},\n" for each in options) + "}" if options else ""
    arguments = ", ".join(filter(None, (_quoted(server + sent.target), second)))
    return f"const response = await fetch({arguments});\nconsole.log(response.status, await response.text());"


SNIPPETS: dict[str, tuple[str, Callable[[Sent, str], str]]] = {
    "bash": ("curl", curl),
    "python": ("Python", python),
    "javascript": ("JavaScript", javascript),
}
"""The name and the writer of each language."""


def _text(sent: Sent, indent: int | None = 2) -> str:
    if isinstance(sent.body, str):
        return sent.body
    return json.dumps(sent.body, indent=indent, ensure_ascii=False)


def _is_plain_json(sent: Sent) -> bool:
    content_type = sent.headers.get("Content-Type", "")
    return sent.body is not ABSENT and not isinstance(sent.body, str) and content_type == "application/json"


def _quoted(text: str) -> str:
    """A string literal of Python and of JavaScript."""
    return json.dumps(text, ensure_ascii=False)


def _python_literal(text: str) -> str:
    return _JSON_TOKEN.sub(lambda token: _PYTHON_WORDS.get(token[0], token[0]), text)


def _arguments(arguments: list[str], indent: str) -> str:
    if len(arguments) == 1:
        return arguments[0]
    return "\n" + "".join(f"{indent}{_indented(each, indent)},\n" for each in arguments)


def _indented(text: str, indent: str) -> str:
    return text.replace("\n", f"\n{indent}")
