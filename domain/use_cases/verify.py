"""Verifying a store: everything that it holds against the rules, and against itself."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from attrs import define, field, frozen

from domain.entity_type import Entity, EntityType
from domain.inspection.entity_history import UNREADABLE, EntityHistory
from domain.inspection.findings import Finding, Findings, Kind
from domain.inspection.log_numbers import LogNumbers
from domain.inspection.parts import RestOfStore, check_log_facts
from domain.inspection.ports import Inspection, LogFacts, Logged, Row, Unreadable
from domain.inspection.unique_values import UniqueValues
from domain.public_types import CHANGE_TYPES
from domain.registry import ENTITY_TYPES
from domain.stored_entity import Serializer
from domain.use_cases.move import Report

REPORTED_AFTER = 1000

T = TypeVar("T")


@frozen(kw_only=True)
class Verified:
    """The result: what was found, and how much was looked at."""

    findings: Findings
    entities: int
    changes: int


async def verify(
    inspection: Inspection, *, serializer: Serializer, read_outcome: Callable[[bytes], object], report: Report
) -> Verified:
    """Look at everything. `read_outcome` reads the outcome under an idempotency key, and raises if it cannot."""
    return await _Verification(inspection, serializer, read_outcome, report).run()


@define(eq=False)
class _Verification:
    """One run, which gathers its findings."""

    inspection: Inspection
    serializer: Serializer
    read_outcome: Callable[[bytes], object]
    report: Report

    _findings: Findings = field(factory=Findings, init=False)
    _entities: int = field(default=0, init=False)
    _changes: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)
    _webhooks: dict[EntityType[Entity], set[int]] = field(factory=dict, init=False)

    async def run(self) -> Verified:
        self.report("checking pages and indexes", 0, 1)
        async for finding in self.inspection.structure():
            self._findings.add(finding)
        self.report("checking pages and indexes", 1, 1)
        try:
            await self._check_content(await self.inspection.facts())
        except Unreadable as error:
            self._findings.add(error.finding)
        return Verified(findings=self._findings, entities=self._entities, changes=self._changes)

    async def _check_content(self, facts: LogFacts) -> None:
        for finding in check_log_facts(facts):
            self._findings.add(finding)
        self._total = await self.inspection.size()
        await self._check_histories(facts)
        rest = RestOfStore(facts, self._webhooks, frozenset(CHANGE_TYPES), self.read_outcome)
        async for part in self.inspection.rest():
            for finding in (part,) if isinstance(part, Finding) else rest.check(part):
                self._findings.add(finding)

    async def _check_histories(self, facts: LogFacts) -> None:
        numbers = LogNumbers(forgotten=facts.metadata.forgotten, newest=facts.newest)
        is_whole = True
        for entity_type in ENTITY_TYPES:
            try:
                await self._check_type(entity_type, facts, numbers)
            except Unreadable as error:
                self._findings.add(error.finding)
                is_whole = False
        try:
            async for logged in _each(self.inspection.changes(None)):
                self._note(numbers, logged)
                self._findings.add(Finding(Kind.LOG, f"change {logged.number}", logged.fault))
        except Unreadable as error:
            self._findings.add(error.finding)
            is_whole = False
        self.report("checking entities and changes", self._total, self._total)
        for finding in numbers.gaps() if is_whole else ():
            self._findings.add(finding)

    async def _check_type(self, entity_type: EntityType[Entity], facts: LogFacts, numbers: LogNumbers) -> None:
        """Read the rows and the changes of a type side by side, entity by entity."""
        last_id, unique = facts.metadata.last_ids.get(entity_type.name, 0), UniqueValues(entity_type)
        rows, changes = _each(self.inspection.rows(entity_type)), _each(self.inspection.changes(entity_type))
        row, logged = await anext(rows, None), await anext(changes, None)
        ids = self._webhooks.setdefault(entity_type, set()) if entity_type.subscribes else None
        while row is not None or logged is not None:
            id = min(each.id for each in (row, logged) if each is not None)
            history = EntityHistory(
                entity_type,
                id,
                is_log_whole=facts.is_log_whole,
                serializer=self.serializer,
                tell=self._findings.add,
            )
            while logged is not None and logged.id == id:
                self._note(numbers, logged)
                history.log(logged)
                logged = await anext(changes, None)
            here = row if row is not None and row.id == id else None
            entity = history.stand(here)
            if id > last_id:
                self._findings.add(
                    Finding(Kind.ID, history.name, f"has an id above {last_id}, the last that was given")
                )
            if here is not None:
                if ids is not None:
                    ids.add(id)
                if entity is not None:
                    self._check_entity(history.name, here, entity, unique)
                self._count_entity()
                row = await anext(rows, None)
        if unique.is_suspicious():
            await self._compare_values(entity_type, unique)

    def _check_entity(self, name: str, row: Row, entity: Entity, unique: UniqueValues) -> None:
        broken = entity.violations()
        for each in broken:
            self._findings.add(Finding(Kind.RULE, name, f"breaks a rule: {each.field} {each.reason}"))
        if broken:
            return  # its sort keys may not exist
        if self.serializer.write(entity) != row.document:
            what = "has a document in another form than backroom writes"
            self._findings.add(Finding(Kind.DOCUMENT, name, what))
        for finding in self.inspection.misfits(entity.entity_type, row, entity):
            self._findings.add(finding)
        unique.note(entity)

    async def _compare_values(self, entity_type: EntityType[Entity], unique: UniqueValues) -> None:
        async for row in _each(self.inspection.rows(entity_type)):
            try:
                entity = self.serializer.read(entity_type, row.document)
            except UNREADABLE:  # as was told
                continue
            if not entity.violations():
                for finding in unique.compare(entity):
                    self._findings.add(finding)

    def _note(self, numbers: LogNumbers, logged: Logged) -> None:
        if (finding := numbers.add(logged.number)) is not None:
            self._findings.add(finding)
        self._changes += 1
        self._report_progress()

    def _count_entity(self) -> None:
        self._entities += 1
        self._report_progress()

    def _report_progress(self) -> None:
        done = self._entities + self._changes
        if done % REPORTED_AFTER == 0:
            self.report("checking entities and changes", min(done, self._total - 1), self._total)


async def _each(batches: AsyncIterator[Sequence[T]]) -> AsyncIterator[T]:
    async for batch in batches:
        for item in batch:
            yield item
