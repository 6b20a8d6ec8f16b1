"""Exports as the products write them: what of them becomes a document, and what is told."""

import json

import pytest
from reading import read, workbook, write

from classifier.clean import document_text
from classifier.errors import InputError


def test_the_account_export_of_zendesk_names_the_organisation_inside_each_ticket(tmp_path):
    ticket = {
        "id": 1,
        "subject": "Export",
        "description": "It fails.",
        "requester_id": 11,
        "via": {"channel": "email"},
        "organization_id": 5,
        "organization": {"id": 5, "name": "Corp Ltd"},
        "comments": [],
    }
    other = {**ticket, "id": 2, "organization": None}
    result = read(write(tmp_path / "a.json", f"{json.dumps(ticket)}\n{json.dumps(other)}\n"))
    assert result.column("source") == ["zendesk", "zendesk"]
    assert result.column("account") == ["Corp Ltd", "5"]


REPLY = "Still broken.\n\nOn Mon, Mar 2, 2026 at 10:55 PM Agent <help@acme.example> wrote:\n> Please restart."
OUTLOOK = (
    "It came back.\n\nFrom: Agent\nSent: Monday, March 2, 2026\nTo: Jane\nSubject: Export\n\nPlease wait."
)


def test_what_each_message_of_a_ticket_quotes_is_removed_and_what_follows_stays(tmp_path):
    texts = ["It fails.", REPLY, OUTLOOK, "<p>We can&#39;t bill.</p>", "Any news?"]
    comments = [
        {"author_id": 1, "body": text, "public": True, "created_at": f"2026-03-0{day}T00:00:00Z"}
        for day, text in enumerate(texts, 1)
    ]
    ticket = {"id": 1, "subject": "Export", "description": texts[0], "requester_id": 1, "comments": comments}
    documents = read(write(tmp_path / "a.json", json.dumps({"tickets": [ticket]}))).documents
    text = document_text(documents["subject"], documents["body"])[0]
    assert text == "Export\nIt fails.\n\nStill broken.\n\nIt came back.\n\nWe can't bill.\n\nAny news?"


def test_tickets_of_freshdesk_are_not_taken_for_zendesk_s(tmp_path):
    ticket = {
        "id": 18,
        "requester_id": 129,
        "responder_id": None,
        "group_id": None,
        "custom_fields": {"cf_area": "Export"},
        "subject": "Export",
        "description": "<div>It fails.</div>",
        "description_text": "It fails.",
        "created_at": "2026-03-15T13:03:12Z",
        "spam": False,
    }
    result = read(write(tmp_path / "a.json", json.dumps([ticket, {**ticket, "id": 19, "spam": True}])))
    assert result.column("source") == ["table"]
    assert result.column("document_id") == ["18"]
    assert result.dropped["reason"].tolist() == ["filtered"]
    assert "1 row(s) left out as filtered, by column 'spam'" in result.said


INTERCOM = (
    "message_id,message_body,message_type,message_created_at,message_author_type,conversation_id\n"
    "1,It fails.,conversation_message,2026-03-01 10:00:00 UTC,user,7\n"
    "2,Sorry for that.,comment,2026-03-01 10:10:00 UTC,admin,7\n"
    "3,She may leave us.,note,2026-03-01 10:11:00 UTC,admin,7\n"
    "4,Hi! I am a bot.,comment,2026-03-01 10:11:00 UTC,bot,7\n"
    "5,I want it back.,comment,2026-03-01 10:12:00 UTC,lead,7\n"
)


def test_messages_of_one_s_own_people_are_left_out(tmp_path):
    result = read(write(tmp_path / "a.csv", INTERCOM))
    assert result.column("body") == ["It fails.", "I want it back."]
    assert result.dropped["reason"].tolist() == ["agent", "internal", "agent"]
    assert "2 row(s) left out as agent, by column 'message_author_type'" in result.said
    assert "1 row(s) left out as internal, by column 'message_type'" in result.said
    kept = read(tmp_path / "a.csv", keep_internal=True)
    assert kept.column("body") == ["It fails.", "She may leave us.", "I want it back."]


def test_the_company_of_who_wrote_is_the_account(tmp_path):
    names = ("Ticket organization name", "message_author_companies", "Requester organization")
    for name in names:
        path = write(tmp_path / "a.csv", f"id,{name},text\n1,Corp Ltd,It fails.\n")
        assert read(path).column("account") == ["Corp Ltd"]


def test_names_of_people_are_found_by_how_their_columns_end(tmp_path):
    fields = {"summary": "Export", "description": "Fails.", "reporter": {"displayName": "Jane Roe"}}
    issues = {"issues": [{"key": "S-1", "fields": fields}]}
    assert read(write(tmp_path / "a.json", json.dumps(issues))).column("people") == ["Jane Roe"]
    table = "id,body,message_author_name,Product nickname,Last name\n1,It fails.,Ida Kroll,Rocket,Kroll\n"
    assert read(write(tmp_path / "a.csv", table)).column("people") == ["Ida Kroll;Kroll"]


def test_notes_that_only_one_s_own_people_write_stay(tmp_path):
    result = read(
        write(tmp_path / "a.csv", "id,note,author_type\n1,They want SSO.,admin\n2,Too slow.,agent\n")
    )
    assert result.column("body") == ["They want SSO.", "Too slow."]
    assert result.dropped.empty


@pytest.mark.parametrize(
    ("header", "own", "theirs"),
    [
        ("Message ID,Direction", "m1,Outbound", "m2,Inbound"),
        ("ticket_id,incoming", "1,false", "2,true"),
        ("ticket_id,private", "1,true", "2,false"),
        ("conversation_id,public", "1,false", "2,true"),
        ("author_id,public", "1,false", "2,true"),
    ],
)
def test_columns_that_tell_whose_a_message_is(tmp_path, header, own, theirs):
    result = read(write(tmp_path / "a.csv", f"{header},body\n{own},ours\n{theirs},theirs\n"))
    assert result.column("body") == ["theirs"]
    alone = read(write(tmp_path / "b.csv", f"{header.partition(',')[2]},body\n{own.partition(',')[2]},x\n"))
    assert alone.column("body") == ["x"], "without the messages' ids the column may mean anything"


QUALTRICS = (
    "StartDate,RecordedDate,ResponseId,Q2_TEXT\n"
    "Start Date,Recorded Date,Response ID,What should we improve? - Text\n"
    '"{""ImportId"":""startDate""}","{""ImportId"":""recordedDate"",""timeZone"":""America/Denver""}",'
    '"{""ImportId"":""_recordId""}","{""ImportId"":""QID2_TEXT""}"\n'
    "2026-03-01 10:00:00,2026-03-01 10:05:01,R_1a,Export is slow\n"
)


def test_the_second_and_third_header_of_qualtrics_are_no_answers(tmp_path):
    result = read(write(tmp_path / "a.csv", QUALTRICS))
    assert result.column("document_id") == ["R_1a"]
    assert str(result.documents["created_at"][0]) == "2026-03-01 10:05:01+00:00"
    assert result.dropped["row"].tolist() == [1, 2]
    assert "could not be read as dates" not in result.said


@pytest.mark.parametrize(
    "name",
    [
        "Date/Time Opened",
        "Review created (UTC)",
        "Ticket created - Date",
        "message_created_at",
        "Call start time",
    ],
)
def test_a_date_column_is_found_by_how_its_name_ends_and_told(tmp_path, name):
    result = read(
        write(tmp_path / "a.csv", f"id,user_created_at,{name},text\n1,2019-01-01,2026-03-01,slow\n")
    )
    assert str(result.documents["created_at"][0].date()) == "2026-03-01"
    assert f"date column: {name!r} (choose with --date-column)" in result.said


def test_a_date_column_that_is_not_known_is_told(tmp_path):
    result = read(write(tmp_path / "a.csv", "id,Erfassungsdatum,user_created_at,text\n1,2026-03-01,,slow\n"))
    assert result.documents["created_at"].isna().all()
    assert (
        "created_at stays empty (choose with --date-column: 'Erfassungsdatum', 'user_created_at')"
        in result.said
    )
    assert "created_at stays" not in read(tmp_path / "a.csv", date_column="Erfassungsdatum").said
    assert "created_at stays" not in read(write(tmp_path / "b.csv", "id,text\n1,slow\n")).said


@pytest.mark.parametrize(
    "record",
    [
        {
            "id": "1",
            "properties": {"subject": "Export", "content": "It fails.", "createdate": "2026-03-01T10:00:00Z"},
        },
        {
            "key": "S-1",
            "fields": {"summary": "Export", "description": "It fails.", "created": "2026-03-01T10:00:00Z"},
        },
        {
            "id": "1",
            "attributes": {"title": "Export", "body": "It fails.", "createdDate": "2026-03-01T10:00:00Z"},
        },
    ],
)
def test_subject_and_date_inside_a_record_are_found(tmp_path, record):
    result = read(write(tmp_path / "a.json", json.dumps({"results": [record], "total": 1})))
    assert result.column("subject") == ["Export"]
    assert result.column("body") == ["It fails."]
    assert str(result.documents["created_at"][0]) == "2026-03-01 10:00:00+00:00"


def test_the_name_of_a_ticket_is_its_subject(tmp_path):
    header = "Ticket ID,Ticket name,Ticket description,Create date"
    result = read(write(tmp_path / "a.csv", f"{header}\n1,Export broken,Since Monday.,2026-03-01\n"))
    assert result.column("subject") == ["Export broken"]


def test_texts_that_lie_inside_a_cell_are_told(tmp_path):
    parts = [{"author": {"type": "user"}, "body": "More of it."}]
    record = {"id": 1, "source": {"body": "It fails."}, "parts": parts}
    result = read(write(tmp_path / "a.json", json.dumps({"conversations": [record]})))
    assert result.column("body") == ["It fails."]
    assert "column 'parts' holds lists of texts; they are not read" in result.said
    assert "it is read as it is" in read(tmp_path / "a.json", text_column="parts").said


def test_texts_in_the_column_that_was_not_chosen_are_counted(tmp_path):
    rows = "1,Slow.,\n2,,Broken.\n3,,\n"
    result = read(write(tmp_path / "a.csv", f"id,description,comment\n{rows}"))
    assert "text column: 'description' is empty in 1 row(s) for which another column" in result.said
    assert "is empty in" not in read(tmp_path / "a.csv", text_column="description").said


@pytest.mark.parametrize(
    ("first", "later", "told"),
    [
        ("41.200", '"1.000,50"', "1 values such as 41.200 were read as decimals"),
        ('41.200\n2,"12,5"', "1.25", "1 values such as 41.200 were read as thousands"),
        ("41.200", "2.5", ""),
        ("41.25", '"1.000,50"', ""),
    ],
)
def test_amounts_that_later_rows_contradict_are_told(tmp_path, first, later, told):
    lines = f"1,{first}".split("\n")
    rows = [f"{line},text" for line in [*lines, *[f"9,{later}"]]]
    path = write(tmp_path / "a.csv", "\n".join(["id,amount,text", *rows]) + "\n")
    said = read(path, batch_rows=len(lines)).said
    assert told in said
    assert bool(told) == ("amount:" in said)


MAIL = "From: Jane Roe <jane@corp.example>\nTo: help@acme.example\nSubject: Export\n\nIt fails.\n"


@pytest.mark.parametrize("start", ["", "From jane@corp.example Sun Mar  1 10:00:00 2026\n"])
def test_mails_are_refused_without_a_word_of_them(tmp_path, start):
    with pytest.raises(InputError, match=r"looks like mails \(\.eml, \.mbox\)") as error:
        read(write(tmp_path / "a.eml", start + MAIL))
    assert "jane" not in str(error.value).lower()


def test_the_list_of_columns_shows_no_address(tmp_path):
    with pytest.raises(InputError, match=r"\(column 2: an address, no name\)") as error:
        read(write(tmp_path / "a.csv", "17,jane@corp.example,3\n18,bo@corp.example,4\n"))
    assert "jane" not in str(error.value)


def test_ids_of_a_workbook_keep_the_zeros_that_their_format_shows(tmp_path):
    import openpyxl

    path = workbook(
        tmp_path / "a.xlsx", {"S": [["id", "text", "amount"], [42, "slow", 7], [1042, "slow", 8]]}
    )
    book = openpyxl.load_workbook(path)
    for row in (2, 3):
        book["S"].cell(row, 1).number_format = "00000"
    book.save(path)
    result = read(path)
    assert result.column("document_id") == ["00042", "01042"]
    assert result.column("amount") == [7.0, 8.0]


def test_a_row_behind_the_last_possible_one_does_not_keep_anybody_waiting(tmp_path):
    import zipfile

    workbook(tmp_path / "a.xlsx", {"S": [["id", "text"], [1, "slow"], [2, "far"]]})
    with zipfile.ZipFile(tmp_path / "a.xlsx") as good, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name.endswith("sheet1.xml"):
                for before, after in ((b'row r="3"', b'row r="2000000000"'), (b'"A3"', b'"A2000000000"')):
                    assert before in content
                    content = content.replace(before, after)
            bad.writestr(name, content)
    assert read(tmp_path / "b.xlsx").column("body") == ["slow"]


def test_an_export_without_texts_is_told_how_its_subjects_are_read(tmp_path):
    rows = "Id,Requester,Subject,Via,Created at\n1,Ida,Export is slow,Mail,2026-03-01 22:55\n"
    path = write(tmp_path / "a.csv", rows)
    with pytest.raises(InputError, match="subjects alone with --text-column 'Subject'"):
        read(path)
    assert read(path, text_column="Subject").column("body") == ["Export is slow"]


def test_of_two_columns_of_ids_the_one_is_taken_whose_values_differ(tmp_path):
    rows = "".join(f"7,m{number},text {number}\n" for number in range(30))
    result = read(write(tmp_path / "a.csv", "Conversation ID,Message ID,Body\n" + rows))
    assert result.column("document_id") == [f"m{number}" for number in range(30)]
    assert "column 'Conversation ID' is not taken as the id" in result.said
    assert "'Message ID' is (choose with --id-column)" in result.said


def test_a_table_below_a_title_is_not_read_as_lines_of_text(tmp_path):
    content = "# Export of reviews\n# 2026-03-01\nid,text,date\n1,Slow,2026-03-01\n"
    with pytest.raises(InputError, match="line 3 looks like the header; delete the lines above it"):
        read(write(tmp_path / "a.csv", content))
    lines = "text\nSlow, bad, and the text is gone\nIt crashes, hangs, dies.\n"
    assert len(read(write(tmp_path / "b.csv", lines)).documents) == 2


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    import zipfile

    rows = [["id", "text"], *([number, "slow" * 1000] for number in range(50))]
    path = workbook(tmp_path / "a.xlsx", {"S": rows})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", " " * (1 << 20))
    assert len(read(path).documents) == 50
    monkeypatch.setattr("classifier.read.detect._LARGE_MEMBER", 1 << 19)
    with pytest.raises(InputError, match="more than 200 times its size"):
        read(path)
