"""Value objects: attrs classes whose fields nobody sets again."""

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import frozen as value_object
else:
    from attrs import define

    value_object = partial(define, unsafe_hash=True)
    """Declares a value object that many requests make. It is equal to another, and hashable, by its fields.

    Only the type checker refuses to set a field. attrs does so at runtime too, but then sets each field by a call, and
    an object takes three times as long to make (T. Tvrtković, "Zero-overhead frozen attrs classes"). Whatever must not
    be changed even by code that nobody type-checks, such as an entity, is `frozen`.
    """

__all__ = ["value_object"]
