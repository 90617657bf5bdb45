"""What is told of a store that fails, without anything that is secret in its URL."""


def shown(url: str) -> str:
    """Return a URL without its user, password and parameters; not at all where it is unclear which part they are."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return url
    place = rest.rpartition("@")[2]
    if rest.count("@") > 1 or "@" in rest.partition("?")[2]:
        place = "…"
    return f"{scheme}://{place.partition('?')[0]}"


def reason(error: BaseException) -> str:
    """Say what went wrong, with what was behind it."""
    behind = error.__cause__
    text = str(error) or type(error).__name__
    return text if behind is None else f"{text} ({behind or type(behind).__name__})"
