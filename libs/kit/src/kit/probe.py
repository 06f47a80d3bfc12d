"""`python -m kit.probe`: exit status 0 when the process beside it says that it is ready. For health checks of containers.

Imports nothing of the house: it runs every few seconds in an image without a shell.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen


def ready(port: str) -> bool:
    """Whether `/health/ready` of this port on the loopback address answers 200."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=4) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if ready(os.environ["SANTUN_PORT"]) else 1)
