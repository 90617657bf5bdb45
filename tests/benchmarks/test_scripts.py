"""The scripts of the load send what their names say."""

from itertools import islice, pairwise

from tests.benchmarks import scripts


def test_a_request_has_its_headers_and_its_length() -> None:
    """A request has a host, its headers and the length of its JSON."""
    expected = (
        b'PUT /tasks/7 HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-Match: "3"\r\n'
        b'Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{"title": "x"}'
    )
    assert expected == scripts.request("PUT", "/tasks/7", {"title": "x"}, if_match='"3"')


def test_an_edit_names_the_version_that_was_answered_last() -> None:
    """Each PUT has the ETag of the response before it."""
    script = scripts.edit(7, scripts.titled(1))

    assert next(script).startswith(b"GET /tasks/7 ")
    assert b'If-Match: "1"' in script.send(b'HTTP/1.1 200 OK\r\netag: "1"\r\n\r\n{}')
    assert b'If-Match: "2"' in script.send(b'HTTP/1.1 200 OK\r\nETag: "2"\r\n\r\n{}')


def test_ticking_off_changes_something_each_time() -> None:
    """Each edit changes something. Otherwise it would be measured as a write without being one."""
    edits = list(islice(scripts.ticked(), 100))

    assert all(one != next for one, next in pairwise(edits))


def test_titles_are_the_same_in_each_run() -> None:
    """A seed gives the same titles each time, and another seed gives others."""
    first = list(islice(scripts.titles(1), 100))

    assert first == list(islice(scripts.titles(1), 100))
    assert first != list(islice(scripts.titles(2), 100))


def test_no_idempotency_key_is_sent_twice() -> None:
    """Each key is sent once. A repeated key would replay a stored response, and be measured as a write."""
    requests = [*islice(scripts.create_with_key(1), 100), *islice(scripts.create_with_key(1), 100)]

    assert 200 == len({request.partition(b"Idempotency-Key: ")[2].partition(b"\r\n")[0] for request in requests})


def test_a_bulk_request_creates_a_thousand() -> None:
    """A bulk request has as many operations as the table's figure assumes."""
    requests = list(scripts.create_in_bulk(1, times=2))

    assert [scripts.BULK] * 2 == [request.count(b'"op": "create"') for request in requests]
