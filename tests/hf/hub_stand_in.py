"""A stand-in for the Hugging Face Hub on this machine, which keeps what is uploaded to it in memory."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """What a hub has received.

    Attributes:
        address: Its address.
        token: The token that it accepts.
        created: The bodies of requests to create a repository.
        files: Contents by repository and path.
    """

    def __init__(self, token: str) -> None:
        self.address = ""
        self.token = token
        self.created: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}


@contextlib.contextmanager
def hub_stand_in(token: str = "hf_right") -> Iterator[Hub]:
    """Run a hub until the block ends. It takes all files inline, as the hub takes small ones."""
    hub = Hub(token)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Authorization") != f"Bearer {hub.token}":
                self._answer(401, {"error": "Invalid credentials"})
            elif self.path == "/api/repos/create":
                hub.created.append(json.loads(body))
                self._answer(200, {"url": f"{hub.address}/{hub.created[-1].get('organization', 'me')}/tiny"})
            elif self.path == "/api/validate-yaml":
                self._answer(200, {"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                files = [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for one in json.loads(body)["files"]
                ]
                self._answer(200, {"files": files})
            elif "/commit/" in self.path:
                name = self.path.removeprefix("/api/models/").partition("/commit/")[0]
                for line in body.splitlines():
                    entry = json.loads(line)
                    if entry["key"] == "file":
                        value = entry["value"]
                        hub.files[f"{name}/{value['path']}"] = base64.b64decode(value["content"])
                self._answer(
                    200,
                    {"success": True, "commitOid": "0" * 40, "commitUrl": f"{hub.address}/{name}/commit/0"},
                )
            else:
                self._answer(404, {"error": f"nothing at {self.path}"})

        def do_GET(self) -> None:
            self._answer(404, {"error": f"nothing at {self.path}"})

        do_HEAD = do_GET

        def _answer(self, status: int, document: Any) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
