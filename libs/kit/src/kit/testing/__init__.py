"""What tests of every service need and production code must not import."""

from kit.testing.eventually import eventually

__all__ = ["eventually"]
