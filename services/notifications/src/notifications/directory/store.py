"""Where the directory seals an address; the place is part of the seal."""

from uuid import UUID


def place(id: UUID) -> str:
    """Where an address is sealed."""
    return f"directory_entry:address_enc:{id}"
