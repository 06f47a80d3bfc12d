"""Every kind of fault, by subject; importing this fills the registry."""

from faults.kinds import crashes, disks, links, messages, people, restores, rivals, servers, versions

__all__ = ["crashes", "disks", "links", "messages", "people", "restores", "rivals", "servers", "versions"]
