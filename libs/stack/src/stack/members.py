"""The services as Python objects: found by name, so that the stack knows nothing of their insides."""

from importlib import import_module
from importlib.util import find_spec

from kit.service import Service

from stack.trouble import Trouble

_PLACES = ("app", "__main__", "service")


def member(name: str) -> Service:
    """The `Service` object of a package, from its `app` or `__main__` module. Raises Trouble when there is none."""
    for place in _PLACES:
        if find_spec(f"{name}.{place}") is None:
            continue
        module = import_module(f"{name}.{place}")
        for value in vars(module).values():
            if isinstance(value, Service) and value.name == name:
                return value
    raise Trouble(f"The package {name} offers no Service object in {name}.app or {name}.__main__.")
