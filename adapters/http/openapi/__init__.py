"""Declarations of operations, and the OpenAPI document that is made from them."""
