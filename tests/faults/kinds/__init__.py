"""Every kind of fault, by subject; importing this fills the registry."""

from faults.kinds import crashes, links, messages, people, servers

__all__ = ["crashes", "links", "messages", "people", "servers"]
