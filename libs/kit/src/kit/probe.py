"""`python -m kit.probe`: exit status 0 when the process beside it says that it is ready. For health checks of containers.

Imports next to nothing: it runs every few seconds beside every process, in an image without a shell.
"""

import os
import socket
import sys

SECONDS = 4.0


def ready(port: int) -> bool:
    """Whether `/health/ready` of this port on the loopback address answers 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as link:
            link.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
            return link.recv(12).split()[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ["SANTUN_PORT"])) else 1)
