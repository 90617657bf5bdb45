"""The check that the program has its environment to itself.

The program is an application, and its packages have plain names: `domain`, `adapters`, `entrypoints`. If another
distribution in the environment has one of these, either could run the other's code.
"""

from importlib.metadata import packages_distributions

DISTRIBUTION = "backroom"
PACKAGES = ("domain", "adapters", "entrypoints")


def conflict() -> str | None:
    """Name the other distribution with a package of the same name, and say what to do; None if there is none."""
    providers = packages_distributions()
    for package in PACKAGES:
        others = sorted(set(providers.get(package, ())) - {DISTRIBUTION})
        if others:
            return (
                f"the package {package} is provided by {', '.join(others)} too;"
                " install backroom into a virtual environment of its own"
            )
    return None
