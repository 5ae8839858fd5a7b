import csv
import io
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatepost.contacts import rules, sheets
from gatepost.contacts.rules import beginnings, clean, is_address, words_of
from gatepost.errors import BadInput

HEADER = "email,first_name,company\n"


@dataclass
class Sheet:
    encoding: str
    rows: list = field(default_factory=list)
    problems: list = field(default_factory=list)


def read_csv(data):
    """The whole of a list, as an import reads it in pieces."""
    file = io.BytesIO(data)
    encoding = sheets.encoding_of(file)
    text = list(sheets.pieces(file, encoding))
    delimiter = sheets.delimiter_of(text[0] if text else "")
    headings = next((each.cells for each in sheets.records(text, delimiter)), ())
    plan = rules.Plan(headings, tuple(rules.first_mapping(headings)))
    if problem := rules.check_plan(headings, plan.mapping):
        raise BadInput(problem)
    found, seen = Sheet(encoding.name), {}
    for each in list(sheets.records(text, delimiter, may_hold_lines=plan.may_hold_lines))[1:]:
        judged = rules.judge(each, plan, seen)
        (found.rows if isinstance(judged, rules.Row) else found.problems).append(judged)
    return found


def sheet(text, encoding="utf-8"):
    return read_csv(text.encode(encoding))


def only_problem(text):
    (problem,) = sheet(text).problems
    return problem


def test_a_plain_list_is_read():
    found = sheet(HEADER + "petra@contoso.example,Petra,Contoso\n")
    assert found.problems == []
    assert found.rows[0].values == {
        "email": "petra@contoso.example",
        "first_name": "Petra",
        "company": "Contoso",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_umlauts_survive_in_every_usual_encoding(encoding):
    data = (HEADER + "ue@contoso.example,Jürgen,Müßig\n").encode(encoding)
    found = read_csv(data)
    assert (found.rows[0].values["first_name"], found.encoding) == ("Jürgen", encoding)


def test_utf_16_with_its_other_byte_order_is_read_too():
    data = b"\xfe\xff" + (HEADER + "a@contoso.example,Jürgen,\n").encode("utf-16-be")
    assert read_csv(data).rows[0].values["first_name"] == "Jürgen"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"PK\x03\x04rest of an xlsx", "Excel"),
        (b"\x89PNG\x00\x00\x01", "not a text file"),
        (b"\xef\xbb\xbfemail\n\xff\xfe\xfa", "Save it as"),
        (b"\xff\xfee", "Save it as"),
        (b"name,company\nPetra,Contoso\n", "No column is called"),
        (b"email" + b",x" * 300 + b"\n", "columns"),
        (b"email\n" + b"x" * sheets.MAX_BYTES, "larger than"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do_and_gives_nothing(data, says):
    with pytest.raises(BadInput, match=says):
        read_csv(data)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_comma_semicolon_and_tab_all_part_the_cells(mark):
    found = sheet(f"E-Mail{mark}Vorname{mark}Firma\na@contoso.example{mark}Petra{mark}Contoso\n")
    assert found.rows[0].values == {"email": "a@contoso.example", "first_name": "Petra", "company": "Contoso"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_each_systems_way(end):
    assert len(sheet(end.join(["email", "a@contoso.example", "b@contoso.example"])).rows) == 2


@pytest.mark.parametrize(
    ("heading", "column"),
    [("E-Mail", "email"), ("Email Address", "email"), ("FIRST NAME", "first_name"), ("Nachname", "last_name"),
     ("Organisation", "company"), ("Time-Zone", "time_zone"), ("Favourite colour", ""), ("Adresse", "")],
)  # fmt: skip
def test_headings_are_known_as_people_write_them(heading, column):
    assert rules.column_of(heading) == column


def test_a_postal_address_is_not_taken_for_the_email():
    found = sheet("Adresse,E-Mail\nHauptstr. 1,a@contoso.example\n")
    assert found.rows[0].values["email"] == "a@contoso.example"
    assert found.rows[0].further == {"adresse": "Hauptstr. 1"}


def test_a_second_column_of_one_meaning_is_kept_as_a_further_one():
    row = sheet("email,phone,mobile\na@contoso.example,1,2\n").rows[0]
    assert (row.values["phone"], row.further) == ("1", {"mobile": "2"})


def test_a_line_break_inside_quotation_marks_belongs_to_the_cell_and_lines_are_still_counted_right():
    found = sheet('email,notes\na@contoso.example,"Petra\nMaria"\nbroken,\n')
    assert found.rows[0].further["notes"] == "Petra Maria"
    assert found.problems[0].line == 4


def test_a_quotation_mark_that_is_not_closed_is_named_and_swallows_no_contact():
    found = sheet(HEADER + 'a@contoso.example,Petra,"Contoso\nb@contoso.example,Ben,Fabrikam\n')
    assert [row.values["first_name"] for row in found.rows] == ["Ben"]
    assert [p.line for p in found.problems] == [2]
    assert "line 2 is not closed" in found.problems[0].message


def test_a_quotation_mark_that_is_not_closed_in_a_long_list_costs_one_row():
    lines = [f"p{n}@contoso.example,P{n},Contoso" for n in range(20_000)]
    lines[7] = 'q@contoso.example,Petra,"Contoso'
    found = sheet(HEADER + "\n".join(lines))
    assert (len(found.rows), [p.line for p in found.problems]) == (19_999, [9])


def test_a_note_of_several_lines_that_swallowed_a_contact_gives_it_back():
    found = sheet('email,notes\na@contoso.example,"call her\nb@contoso.example,"\nc@contoso.example,\n')
    assert {row.values["email"] for row in found.rows} >= {"c@contoso.example"}
    assert len(found.rows) + len(found.problems) == 3


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("x" * 65_536, "longer than"),
        ("x" * 300_000, "longer than"),
        ("Pe\x00tra", "NUL"),
        ("x" * 101, "longer than 100"),
    ],
)
def test_a_hostile_name_is_refused_with_its_line_and_the_next_row_is_read(cell, says):
    found = sheet(HEADER + f'a@contoso.example,"{cell}",Contoso\nb@contoso.example,Ben,Contoso\n')
    assert [row.values["first_name"] for row in found.rows] == ["Ben"]
    assert [p.line for p in found.problems] == [2] and says in found.problems[0].message


def test_a_line_without_an_end_is_no_list():
    with pytest.raises(BadInput, match="goes on for more than"):
        read_csv(b"email\n" + b"x" * 3_000_000)


def test_utf_16_without_its_mark_is_read_too():
    assert (
        read_csv((HEADER + "a@contoso.example,Petra,\n").encode("utf-16-le")).rows[0].values["first_name"]
        == "Petra"
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_where_a_piece_ends_changes_nothing(monkeypatch, size):
    text = 'email,notes\r\nä@contoso.example,"one\r\ntwo"\r\nb@contoso.example,x\r\n'
    whole = read_csv(text.encode())
    monkeypatch.setattr(sheets, "BLOCK", size)
    assert read_csv(text.encode()) == whole and len(whole.rows) == 2


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [("number", "1 234,5", "1234.5"), ("number", "-3", "-3"), ("date", "31.03.2027", "2027-03-31"),
     ("date", "2027-3-1", "2027-03-01"), ("yes_no", "Ja", "yes"), ("yes_no", "0", "no"), ("choice", "GOLD", "Gold")],
)  # fmt: skip
def test_a_value_is_kept_in_one_form(kind, text, kept):
    assert rules.field_value(text, rules.FieldRule(kind, ("Gold", "Silver"))) == (kept, "")


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "many"), ("date", "31.02.2027"), ("date", "soon"), ("yes_no", "perhaps"), ("choice", "Bronze"), ("text", "x" * 1001)],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_says_so(kind, text):
    value, problem = rules.field_value(text, rules.FieldRule(kind, ("Gold",)))
    assert value == "" and problem


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_few_lines_that_are_not_utf_8_are_left_out_and_the_others_read_rightly(mark):
    lines = [f"p{n}@contoso.example,Jürgen,Contoso" for n in range(20)]
    data = mark + (HEADER + "\n".join(lines)).encode() + "\nq@contoso.example,Jörg,Contoso\n".encode("cp1252")
    found = read_csv(data)
    assert {row.values["first_name"] for row in found.rows} == {"Jürgen"}
    assert [(p.line, p.cells[1]) for p in found.problems] == [(22, "J\ufffdrg")]
    assert "not UTF-8" in found.problems[0].message


def test_a_windows_file_with_a_single_umlaut_is_read_as_one():
    lines = [f"p{n}@contoso.example,Petra,Contoso" for n in range(20)]
    data = (HEADER + "\n".join([*lines, "q@contoso.example,Jörg,Contoso"])).encode("cp1252")
    assert read_csv(data).rows[-1].values["first_name"] == "Jörg"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",Petra,Contoso", "missing"),
        ("petra,Petra,Contoso", "needs one @"),
        ("petra@@contoso.example,Petra,Contoso", "needs one @"),
        ("petra@contoso,Petra,Contoso", "needs one @"),
        ("a b@contoso.example,Petra,Contoso", "needs one @"),
        ("Petra <petra@contoso.example>,Petra,Contoso", "needs one @"),
        ("a@contoso.example;b@contoso.example,Petra,Contoso", "needs one @"),
        ("a@contoso.example,Petra", "2 cells instead of 3"),
        ("a@contoso.example,Petra,Contoso,more", "4 cells instead of 3"),
        (f"a@contoso.example,Petra,{'x' * 2001}", "longer than"),
        (f"{'x' * 65}@contoso.example,Petra,Contoso", "needs one @"),
    ],
)
def test_a_bad_row_is_kept_as_it_was_with_what_to_change(row, says):
    problem = only_problem(HEADER + row + "\n")
    assert says in problem.message
    assert (problem.line, ",".join(problem.cells)) == (2, row)


def test_a_time_zone_or_country_that_is_none_says_what_to_write():
    text = "email,time_zone,country\na@contoso.example,CET-ish,\nb@contoso.example,,Germany\nc@contoso.example,Europe/Berlin,de\n"
    found = sheet(text)
    assert [p.line for p in found.problems] == [2, 3]
    assert "Europe/Berlin" in found.problems[0].message and "DE" in found.problems[1].message
    assert len(found.rows) == 1


def test_an_address_that_comes_twice_is_used_once_and_the_second_line_says_where_the_first_is():
    found = sheet(HEADER + "a@contoso.example,Petra,\nA@Contoso.Example,Peter,\n")
    assert len(found.rows) == 1
    assert "line 2" in found.problems[0].message


def test_invisible_and_direction_characters_do_not_come_in():
    found = sheet(HEADER + "a@contoso.example,Pe\u202etra\u200b\x07,Con\x1btoso\n")
    assert found.rows[0].values["first_name"] == "Petra"
    assert found.rows[0].values["company"] == "Contoso"


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+491234", "-1", "@sum"])
def test_what_a_spreadsheet_would_run_is_kept_as_text(cell):
    assert sheet(f'email,title\na@contoso.example,"{cell}"\n').rows[0].values["title"] == cell


def test_ten_thousand_rows_are_read_and_none_is_lost():
    lines = [f"p{n}@contoso.example,P{n},Contoso" if n % 10 else f"p{n},P{n},Contoso" for n in range(10_000)]
    found = sheet(HEADER + "\n".join(lines))
    assert (len(found.rows), len(found.problems)) == (9_000, 1_000)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=8))
@example([["=1+1", "\r", '"']])
def test_no_row_is_ever_lost_whatever_stands_in_it(table):
    out = io.StringIO()
    csv.writer(out).writerows([["email", "first_name", "notes"], *table])
    filled = [row for row in table if any(cell.strip() for cell in row)]
    try:
        found = read_csv(out.getvalue().encode())
    except BadInput:
        assert not filled
        return
    assert len(found.rows) + len(found.problems) >= len(filled)


@given(st.text())
def test_cleaned_text_is_one_printable_line(text):
    cleaned = clean(text)
    assert cleaned.splitlines() in ([], [cleaned])
    assert clean(cleaned) == cleaned
    assert not any(character in cleaned for character in "\r\n\t\x00\u202e\u200b")


@pytest.mark.parametrize(
    ("text", "good"),
    [("petra@contoso.example", True), ("o'neil+x@mail.contoso.example", True), ("ü@bücher.example", True),
     ("a@b.c\r\nBcc: x@y.example", False), ("a@[127.0.0.1]", False), ('"a b"@contoso.example', False),
     ("a@contoso..example", False), ("a,b@contoso.example", False), ("x" * 250 + "@a.example", False)],
)  # fmt: skip
def test_an_address_is_one_plain_address(text, good):
    assert is_address(text) is good


def test_a_contact_is_found_by_the_beginning_of_each_word():
    words = words_of("Ann-Marie", "van der Berg", "ann.marie@contoso.example")
    found = {each for word in words for each in beginnings(word)}
    assert {"an", "ann", "marie", "berg", "van", "contoso", "exampl", "ann.marie@co"} <= found
    assert "a" not in found and "rie" not in found
