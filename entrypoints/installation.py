"""Whether the program has its environment to itself.

It is an application, and its packages have the plain names of a hexagon: `domain`, `adapters`, `entrypoints`. In an
environment with another distribution that has one of these, either could run the other's code.
"""

from importlib.metadata import packages_distributions

DISTRIBUTION = "backroom"
PACKAGES = ("domain", "adapters", "entrypoints")


def conflict() -> str | None:
    """Say which other distribution provides a package of the same name, and what to do; None where none does."""
    providers = packages_distributions()
    for package in PACKAGES:
        others = sorted(set(providers.get(package, ())) - {DISTRIBUTION})
        if others:
            return (
                f"the package {package} is provided by {', '.join(others)} too;"
                " install backroom into a virtual environment of its own"
            )
    return None
