"""The command that looks for damage in a store."""

import asyncio
from time import monotonic

import click

from domain.inspection.findings import MOST_SHOWN, Kind
from domain.use_cases.verify import Verified
from entrypoints.copying import fault, until_interrupted
from entrypoints.garbage import collect_seldom
from entrypoints.output import Output, output_options
from entrypoints.store_errors import reason, shown
from entrypoints.store_location import url_of
from entrypoints.stores import verified

SOUND, DAMAGED, FAILED = 0, 1, 1

DERIVED = {Kind.INDEX, Kind.SEARCH_INDEX, Kind.SORT_KEY}
MADE_ANEW = "all of this follows from the documents, which are sound: backroom backup makes a copy in which it is right"
PUT_BACK = "keep this store as it is, and bring back the newest backup that is sound; backroom verify FILE tells"


@click.command
@click.argument("store", metavar="[STORE|FILE]", required=False)
@output_options
def command(store: str | None, mode: str | None) -> int:
    r"""Look for damage in a store, or in the FILE of a backup, and change nothing.

    Checks pages, indexes and the search index; every entity against its rules, its columns and its last change; the
    log, which has no gaps; unique values; webhooks, idempotency keys and access keys. It does so as the store is at one
    moment, beside a running service. The exit code is 1 if anything is wrong. STORE is BACKROOM_STORE by default.

    \b
    Example:
      backroom verify
    """
    url = url_of(store)
    url = url if "://" in url else f"sqlite:///{url}"
    if found := fault("STORE", url):
        raise click.UsageError(found)
    output = Output(mode)
    return asyncio.run(until_interrupted(_verify(url, output), output, "what was checked until then is not told"))


async def _verify(url: str, output: Output) -> int:
    start = monotonic()
    try:
        collect_seldom()
        result = await verified(url, output.progress())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
        output.error(f"{shown(url)}: {reason(error)}")
        return FAILED
    _tell(result, output)
    damages = result.findings.counts.total()
    looked_at = f"{result.entities:,} entities and {result.changes:,} changes"
    seconds = round(monotonic() - start, 1)
    facts = {"entities": result.entities, "changes": result.changes, "findings": damages, "seconds": seconds}
    if not damages:
        output.result(f"verified {looked_at} in {seconds} s: nothing is wrong", **facts)
        return SOUND
    output.result(f"verified {looked_at} in {seconds} s: {damages:,} findings", **facts)
    advice = MADE_ANEW if result.findings.counts.keys() <= DERIVED else PUT_BACK
    output.error(f"{shown(url)} is damaged ({damages:,} findings): {advice}")
    return DAMAGED


def _tell(result: Verified, output: Output) -> None:
    """Write the findings, kind by kind, and what could not be checked."""
    findings = result.findings
    for kind in Kind:
        for each in findings.first:
            if each.kind is kind:
                text = f"{kind.value}: {each.where} {each.what}"
                output.result(text, kind=kind.value, where=each.where, what=each.what)
        if (more := findings.counts[kind] - MOST_SHOWN) > 0:
            output.result(f"{kind.value}: and {more:,} more", kind=kind.value, more=more)
    for unchecked in findings.unchecked:
        output.note(f"not checked: {unchecked.what}, because {unchecked.why}")
