"""Errors of a store in words, without the secrets of its URL."""


def shown(url: str) -> str:
    """Return a URL without its user, password and parameters. If these parts are unclear, show nothing of it."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return url
    location = rest.rpartition("@")[2]
    if rest.count("@") > 1 or "@" in rest.partition("?")[2]:
        location = "…"
    return f"{scheme}://{location.partition('?')[0]}"


def reason(error: BaseException) -> str:
    """Say what went wrong, with its cause."""
    text, cause = (str(each) or type(each).__name__ for each in (error, error.__cause__))
    return text if error.__cause__ is None or cause in text else f"{text} ({cause})"
