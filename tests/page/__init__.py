"""The pages in a real browser.

This is a package, so that the browser ends before tests of other folders need an event loop of their own.
"""
