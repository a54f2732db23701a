"""A request as a curl command for a POSIX shell, which sends it again to the byte."""

import re
import shlex

from ..contract.interaction import Interaction

_CURL_SENDS = {
    "host", "content-length", "accept-encoding", "connection", "user-agent", "transfer-encoding",
    "x-schemathesis-testcaseid",
}  # fmt: skip
"""Header fields that curl sends by itself, or that do not matter."""
MAX_SHOWN = 20_000
"""Characters of a body that a command shows; it names a file for a longer one."""
_RUN = re.compile(rb"(.)\1{199,}", re.DOTALL)


def curl(interaction: Interaction) -> str:
    """The command, on one line of printable characters; for a redacted interaction without secrets."""
    body, words = interaction.request_body, ["curl", "-i"]
    if re.search(r"[][{}]", interaction.url):
        words.append("--globoff")
    if "/." in interaction.path:
        words.append("--path-as-is")
    if interaction.method == "HEAD" and not body:
        words.append("--head")
    elif interaction.method != ("POST" if body else "GET"):
        words += ["-X", shlex.quote(interaction.method)]
    for name, value in interaction.request_headers:
        if name.lower() not in _CURL_SENDS:
            words += ["-H", _word(f"{name}: {value}" if value else f"{name};")]
    before, data = _data(body) if body else ("", [])
    if body and not any(name.lower() == "content-type" for name, _ in interaction.request_headers):
        data = ["-H", "Content-Type:", *data]
    return before + " ".join([*words, *data, shlex.quote(interaction.url)])


def _data(body: bytes) -> tuple[str, list[str]]:
    """The command that prints a body, empty where an argument of curl holds it, and the arguments of curl."""
    if (text := _plain(body)) is not None:
        return "", ["--data-raw", shlex.quote(text)]
    printed = _printed(body)
    if len(printed) > MAX_SHOWN:
        return "", ["--data-binary", f"@body-of-{len(body)}-bytes"]
    return f"{{ {printed}; }} | ", ["--data-binary", "@-"]


def _plain(body: bytes) -> str | None:
    """A body as text, where all of it is printable."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and len(text) <= MAX_SHOWN else None


def _word(text: str) -> str:
    """A word of the shell for a field whose characters are bytes (Latin-1)."""
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    return f"\"$(printf '{_escaped(text.encode('latin-1', 'replace'))}')\""


def _printed(body: bytes) -> str:
    """Commands that print the bytes; a long run of one byte is abbreviated."""
    commands, end = [], 0
    for run in _RUN.finditer(body):
        if run.start() > end:
            commands.append(f"printf '{_escaped(body[end : run.start()])}'")
        fill = f"printf '%{len(run[0])}s' ''"
        commands.append(fill if run[1] == b" " else f"{fill} | tr ' ' '{_octal(run[1][0])}'")
        end = run.end()
    if end < len(body):
        commands.append(f"printf '{_escaped(body[end:])}'")
    return "; ".join(commands)


def _escaped(content: bytes) -> str:
    """The format of `printf` for these bytes."""
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"%'\\" else "%%" if byte == 0x25 else _octal(byte)
        for byte in content
    )


def _octal(byte: int) -> str:
    return f"\\{byte:03o}"
