from hypothesis import given
from hypothesis import strategies as st

from crm.replies import Problem, check, signs


def nothing(text: str) -> dict[str, int]:
    return {}


def test_a_fine_reply_has_no_findings() -> None:
    assert check("A crew is on its way to Oak Street. Your case is M-BNBN7.", "mastodon", nothing) == []


def test_a_reply_without_words_is_not_posted() -> None:
    assert [one.problem for one in check(" \n", "mastodon", nothing)] == [Problem.EMPTY]


def test_the_limit_of_the_channel_is_told_in_characters_as_people_count_them() -> None:
    assert check("é" * 300, "bluesky", nothing) == []
    assert check("👩‍🚒" * 300, "bluesky", nothing) == []
    [finding] = check("x" * 305, "bluesky", nothing)
    assert finding.problem is Problem.TOO_LONG
    assert "305 characters, 5 more" in finding.say
    assert check("x" * 9000, "somewhere else", nothing) == []


def test_personal_data_is_a_problem_only_where_everybody_reads() -> None:
    [finding] = check("Call 555-0100", "mastodon", lambda text: {"phone": 1})
    assert (finding.problem, "phone" in finding.say) == (Problem.PERSONAL_DATA, True)
    assert check("Call 555-0100", "mastodon", lambda text: {"phone": 1}, public=False) == []


@given(st.text())
def test_people_never_count_more_than_code_points(text: str) -> None:
    assert 0 <= signs(text) <= len(text) * 3  # some signs fall apart when composed as the standard says
    assert (signs(text) == 0) == (text == "")
