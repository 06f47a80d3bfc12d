"""`grants api | relay | consume | work | all | migrate | check-config | ...`."""

from kit.cli import main

from grants.app import SERVICE


def run() -> None:
    """The command line of the service."""
    main(SERVICE)


if __name__ == "__main__":
    run()
