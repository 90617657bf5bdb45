"""Errors of keys."""

from typing import ClassVar

from attrs import frozen

from domain.errors import DomainError


class LastAdminKey(DomainError):
    """Without this key nobody could administer a service that others can reach."""

    code: ClassVar[str] = "last_admin_key"

    @property
    def message(self) -> str:
        return "this is the last admin key; make another one first"


@frozen(kw_only=True)
class TooManyKeys(DomainError):
    """There are as many valid keys as there may be."""

    code: ClassVar[str] = "too_many_keys"
    most: int

    @property
    def message(self) -> str:
        return f"there are {self.most} keys already; revoke some that nobody uses"
