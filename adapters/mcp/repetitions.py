"""The idempotency keys of writes, made so that a call that is repeated after a lost answer takes effect once.

Equal arguments alone are no sign of a repetition: a shop sells three of the same product twice a day. A call is a
repetition if it equals an earlier one whose answer was lost: the connection to the service broke, or the client
cancelled the call (as it does when its time is over), perhaps too late to stop the answer. Such a call gets the key of
the earlier one. Every other call gets a new key.
"""

import json
import secrets
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import Any

MAX_REMEMBERED = 1000


class Repetitions:
    """Remembers the keys of recent calls, and which of them had their answers lost."""

    def __init__(self) -> None:
        self._given: OrderedDict[Hashable, tuple[str, str]] = OrderedDict()
        self._lost: OrderedDict[str, list[str]] = OrderedDict()

    def key(self, call: Hashable, tool: str, arguments: Mapping[str, Any]) -> str:
        """Return the key of a call, which is named by the id of its request."""
        fingerprint = sha256(json.dumps([tool, arguments], sort_keys=True).encode()).hexdigest()
        earlier = self._lost.get(fingerprint)
        key = earlier.pop(0) if earlier else secrets.token_urlsafe(18)
        if not earlier:
            self._lost.pop(fingerprint, None)
        self._given[call] = fingerprint, key
        _bound(self._given)
        return key

    def lose(self, call: Hashable) -> None:
        """Note that the answer of a call was lost, so that its repetition gets the same key."""
        if call not in self._given:
            return
        fingerprint, key = self._given.pop(call)
        self._lost.setdefault(fingerprint, []).append(key)
        _bound(self._lost)


def _bound(remembered: OrderedDict[Any, Any]) -> None:
    while len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)
