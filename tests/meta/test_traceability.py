"""The generated pages say what the trace and the code hold."""

from tests.traceability import citations, requirements_page, standards_page

TRACE = {
    "requirements": {"R-15": {"tests": [{"id": "a", "outcome": "passed"}, {"id": "b", "outcome": "failed"}]}},
    "clauses": {"RFC 8613 8.2": {"tests": [{"id": "a", "outcome": "passed"}]}, "RFC 8742": {"tests": []}},
}


def test_code_and_tests_of_a_clause_meet_in_one_row(tmp_path):
    (tmp_path / "oscore.py").write_text('"""As RFC 8613 §8.2, §8.10 and RFC 8613 Appendix B.1.2 say."""')
    page = standards_page(TRACE, citations(tmp_path))
    assert page.index("| 8.2 | `oscore` | 1 |") < page.index("| 8.10 | `oscore` |  |") < page.index("| B.1.2 |")
    assert "## RFC 8742" in page


def test_a_requirement_with_a_red_test_does_not_count():
    page = requirements_page(TRACE)
    assert "| R-15 | replayed and stale messages are refused | 1 | 1 |" in page
    assert page.count("| yes |") == 0
    assert page.count("| R-") == 90


def test_the_pages_of_this_project_can_be_made(pytestconfig):
    assert "RFC 7252" in standards_page(TRACE, citations(pytestconfig.rootpath / "src"))
