"""What a container's health check answers."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from kit.probe import ready


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False)])
def test_ready_is_what_the_process_says(status: int, well: bool) -> None:
    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Says) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert ready(str(server.server_port)) is well


def test_who_does_not_answer_is_not_ready() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    assert not ready(str(port))
