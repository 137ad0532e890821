"""The object around every OCPI answer."""

from datetime import UTC, datetime

import pytest
from emsp_core.ocpi.envelope import Problem, StatusCode, answer_to, envelope

NOW = datetime(2026, 3, 14, 19, 43, 2, tzinfo=UTC)


def test_success_carries_data_and_no_message():
    assert envelope(StatusCode.SUCCESS, {"id": "7"}, timestamp=NOW) == {
        "data": {"id": "7"},
        "status_code": 1000,
        "timestamp": "2026-03-14T19:43:02Z",
    }


def test_answer_without_data_has_no_data_field_at_all():
    assert "data" not in envelope(StatusCode.SUCCESS, timestamp=NOW)
    assert envelope(StatusCode.SUCCESS, [], timestamp=NOW)["data"] == []
    assert envelope(StatusCode.SUCCESS, None, timestamp=NOW)["data"] is None


def test_error_says_what_is_wrong_or_at_least_what_its_code_means():
    answer = envelope(StatusCode.INVALID_PARAMETERS, message="id: expected a text, got 7", timestamp=NOW)
    assert answer["status_message"] == "id: expected a text, got 7"
    for status in StatusCode:
        if status is not StatusCode.SUCCESS:
            assert envelope(status, timestamp=NOW)["status_message"] == status.meaning


def test_status_codes_are_those_of_the_specification():
    # OCPI 2.2.1, 5.1 to 5.4
    assert [int(status) for status in StatusCode] == [
        *(1000, 2000, 2001, 2002, 2003, 2004),
        *(3000, 3001, 3002, 3003),
        *(4000, 4001, 4002, 4003),
    ]


@pytest.mark.parametrize(
    ("problem", "http_status", "status"),
    [
        (Problem.INVALID_PAYLOAD, 400, 2001),
        (Problem.CONFLICT, 200, 2001),
        (Problem.UNAUTHORIZED, 401, 2000),
        (Problem.NOT_FOUND, 404, 2000),
        (Problem.METHOD_NOT_ALLOWED, 405, 2000),
        (Problem.TOO_LARGE, 413, 2000),
        (Problem.REFUSED, 200, 2000),
        (Problem.FAILED, 500, 3000),
    ],
)
def test_each_problem_has_one_answer(problem, http_status, status):
    assert answer_to(problem) == (http_status, status)


def test_no_problem_is_without_an_answer():
    assert all(answer_to(problem) for problem in Problem)
