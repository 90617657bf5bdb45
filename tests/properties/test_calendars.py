"""Any task survives in a calendar, as two independent parsers read it."""

import re
from datetime import date, timedelta
from typing import Any

import ics
import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st
from icalendar import Calendar as Parsed

from adapters.serialization.calendars import CalendarWriter
from domain.calendar import CalendarForm, CreateCalendar
from domain.task import TASK, Status, Task
from tests.builders import NOON, SERIALIZER, task
from tests.properties.strategies import entities

MAX_SEQUENCE = 2**31 - 1  # of any integer (RFC 5545, 3.3.8)
URL = "https://shop.example/app/tasks"
FORMS = pytest.mark.parametrize("form", CalendarForm)
TASKS = entities(TASK).filter(lambda each: each.due is not None)
_LINES = str.maketrans({"\u2028": "\n", "\u2029": "\n"})


def written(form: CalendarForm, *tasks: Task, name: str = "The shop") -> str:
    """Return a calendar with these tasks."""
    decision = CreateCalendar(name=name, filter="", form=form, actor=None, secret="s")
    writer = CalendarWriter(calendar=decision((), NOON).calendar, namespace="of-the-store", url=URL)
    documents = map(SERIALIZER.write, tasks)
    return "".join([writer.begin(is_whole=True), *map(writer.task, documents), writer.end()])


def components(text: str) -> list[Any]:
    """Return the tasks as icalendar reads them."""
    parsed: Any = Parsed.from_ical(text)
    assert [] == [each.errors for each in parsed.walk() if each.errors]
    return [*parsed.subcomponents]


@FORMS
@given(some=st.lists(TASKS, max_size=3))
def test_icalendar_reads_it_back(form: CalendarForm, some: list[Task]) -> None:
    """Each field comes back. A line separator in a text becomes the line break that it means."""
    found = components(written(form, *some))
    assert len(some) == len(found)
    for each, component in zip(some, found, strict=True):
        assert f"V{form.value.upper()}" == component.name
        assert (each.title, each.notes.translate(_LINES)) == (
            str(component["SUMMARY"]),
            str(component.get("DESCRIPTION", "")),
        )
        assert each.due == component["DUE" if form is CalendarForm.TODO else "DTSTART"].dt
        times = [component[name].dt for name in ("DTSTAMP", "LAST-MODIFIED", "CREATED")]
        expected = [each.replace(microsecond=0) for each in (each.updated_at, each.updated_at, each.created_at)]
        assert expected == times
        assert (min(each.version, MAX_SEQUENCE), f"{URL}#{each.id}") == (component["SEQUENCE"], component["URL"])


@FORMS
@given(name=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=100))
def test_the_name_comes_back(form: CalendarForm, name: str) -> None:
    """The name of a calendar survives in both properties that programs look at."""
    assume("\u2028" not in name and "\u2029" not in name)
    parsed: Any = Parsed.from_ical(written(form, name=name))
    # icalendar does not know that the two are texts, and leaves them as they are written.
    assert [name] * 2 == [re.sub(r"\\(.)", r"\1", parsed[each]) for each in ("NAME", "X-WR-CALNAME")]


@FORMS
@given(task=TASKS)
def test_lines_are_folded(form: CalendarForm, task: Task) -> None:
    """No line has more than 75 bytes, each is whole UTF-8, and each ends with CRLF (RFC 5545, 3.1)."""
    lines = written(form, task).encode().split(b"\r\n")
    assert b"" == lines.pop()
    for line in lines:
        assert len(line) <= 75
        assert [line.decode()] == line.decode().splitlines()  # also for programs that take other line ends for one


# It takes a backslash and an n for a line break, also behind another backslash, and it ends lines as Python does.
_READ_BY_ICS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\\"), max_size=99)


@FORMS
@given(title=_READ_BY_ICS, notes=_READ_BY_ICS | st.just("first\n\nsecond"), due=st.dates(date(1970, 1, 1)))
def test_ics_reads_it_back(form: CalendarForm, title: str, notes: str, due: date) -> None:
    """The second parser finds the same in what it can read."""
    original = task(title=f"x{title.strip()}x", notes=notes.strip(), due=due)
    parsed = ics.Calendar(written(form, original))
    (found,) = parsed.todos if form is CalendarForm.TODO else parsed.events
    assert (original.title, original.notes) == (found.name, found.description or "")
    assert "task-1.of-the-store@backroom" == found.uid
    day = found.due if form is CalendarForm.TODO else found.begin
    assert original.due == day.date()
    if form is CalendarForm.EVENT and due < date.max - timedelta(days=2):
        assert (True, 1) == (found.all_day, found.duration.days)


@pytest.mark.parametrize(
    "text", ["C:\\New\\names", "\\\\N", "\\n", "a\\;b\\,", "\\", 'a"b:c', "  two  spaces", "x:y;z=1,2"]
)
def test_awkward_texts(text: str) -> None:
    """Backslashes, quotes and separators stay what they are; the library alone would make a line break of the first."""
    (found,) = components(written(CalendarForm.EVENT, task(title=text.strip(), notes=f"x{text}", due=NOON.date())))
    assert (text.strip(), f"x{text}") == (str(found["SUMMARY"]), str(found["DESCRIPTION"]))


def test_line_separators() -> None:
    """The separators of Unicode become line breaks, because many programs end a line of the calendar at them."""
    text = written(CalendarForm.EVENT, task(notes="a\u2028b\u2029c", due=NOON.date()))
    assert text.split("\r\n")[:-1] == text.splitlines()
    assert "a\nb\nc" == components(text)[0]["DESCRIPTION"]


@pytest.mark.parametrize("day", [date.min, date(2026, 2, 28), date(9999, 12, 30), date.max])
def test_an_event_lasts_a_day(day: date) -> None:
    """An event ends on the next day, which is exclusive; the last day of all has none, and needs none."""
    (found,) = components(written(CalendarForm.EVENT, task(due=day)))
    assert day == found["DTSTART"].dt
    assert ("DTEND" in found) == (day < date.max)
    assert "DTEND" not in found or timedelta(days=1) == found["DTEND"].dt - day
    assert "TRANSPARENT" == found["TRANSP"]


@pytest.mark.parametrize(
    ("status", "event", "todo"),
    [
        (Status.PENDING, "CONFIRMED", "NEEDS-ACTION"),
        (Status.IN_PROGRESS, "CONFIRMED", "IN-PROCESS"),
        (Status.DONE, "CANCELLED", "COMPLETED"),
        (Status.CANCELLED, "CANCELLED", "CANCELLED"),
    ],
)
def test_statuses(status: Status, event: str, todo: str) -> None:
    """A status becomes the nearest one of an event or a to-do. What is done has its time in a to-do."""
    some = task(due=NOON.date(), status=status)
    (shown,), (listed,) = (components(written(form, some)) for form in CalendarForm)
    assert (event, todo) == (shown["STATUS"], listed["STATUS"])
    assert (status is Status.DONE) == ("COMPLETED" in listed)
    assert "COMPLETED" not in shown


def test_a_task_has_one_identity() -> None:
    """The UID stays the same in every version and in both forms, and differs between tasks."""
    one = task(due=NOON.date())
    others = [evolve(one, version=2, title="x"), evolve(one, id=2)]
    uids = [str(each["UID"]) for form in CalendarForm for each in components(written(form, one, *others))]
    assert [f"task-{id}.of-the-store@backroom" for id in (1, 1, 2)] * 2 == uids
