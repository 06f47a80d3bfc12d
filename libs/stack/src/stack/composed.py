"""The demonstration in containers: tells the story once, inside the network of `deploy/docker-compose.yml`.

Run as `python -m stack.composed` by the profile `demo`; it needs no neighbour of `stack` that starts anything.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from stack import story
from stack.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Composed:
    """The system in containers, as a container beside it reaches it."""

    clock: Path
    token_url: str

    def url(self, name: str) -> str:
        """The address of a service's API."""
        return f"http://{name}:8000"

    def client_secret(self, client: str) -> str:
        """Machines do not act in the story. Raises Trouble."""
        raise Trouble(f"The secret of {client} is not for this container.")


def main() -> int:
    """Tell the story unless it was told to the end; one that was cut off goes on where it stopped."""
    place = Composed(Path(os.environ["SANTUN_CLOCK_FILE"]), os.environ["SANTUN_TOKEN_URL"])
    told = place.clock.with_name("story.done")
    if told.exists():
        return 0
    try:
        story.run(place, lambda text: print(text, flush=True))
    except (Trouble, httpx.HTTPError) as found:
        sys.stderr.write(f"The story stopped: {found}\nIt goes on where it stopped: docker compose up story\n")
        return 1
    told.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
