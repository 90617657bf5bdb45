"""Values that must be unique, in two passes."""

from domain.inspection.unique_values import UniqueValues
from domain.product import PRODUCT
from tests.builders import product


def test_no_second_pass() -> None:
    """Different values, and none at all, need no second pass."""
    unique = UniqueValues(PRODUCT)
    for id, sku in enumerate(("a", "A", None, None), 1):
        unique.note(product(id=id, sku=sku))
    assert not unique.is_suspicious()


def test_shared_values() -> None:
    """The second pass names each entity that has a value of one before."""
    unique, products = UniqueValues(PRODUCT), [product(id=id, sku=sku) for id, sku in enumerate("abab", 1)]
    for each in products:
        unique.note(each)
    assert unique.is_suspicious()
    found = [(finding.where, finding.what) for each in products for finding in unique.compare(each)]
    assert [
        ("product 3", "sku is 'a', which product 1 has, too"),
        ("product 4", "sku is 'b', which product 2 has, too"),
    ] == found
