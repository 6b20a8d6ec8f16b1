"""Sources: who wrote an export, and what becomes of its columns."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import read, workbook, write

from classifier.errors import InputError
from classifier.read import describe_formats, describe_sources
from classifier.schema import DOCUMENTS

TICKET = {
    "id": 35436,
    "url": "https://example.zendesk.com/api/v2/tickets/35436.json",
    "created_at": "2026-07-20T22:55:29Z",
    "subject": "Help",
    "raw_subject": "{{dc.help}}",
    "description": "The fire is very colorful.",
    "status": "open",
    "updated_at": "2026-03-09T07:10:00Z",
    "tags": ["enterprise", "other_tag"],
    "via": {"channel": "web", "source": {"from": {"name": "Ida Kroll"}}},
    "requester_id": 1,
    "submitter_id": 2,
    "assignee_id": 2,
    "organization_id": 9,
    "custom_fields": [{"id": 27642, "value": "745"}],
    "satisfaction_rating": {"score": "good", "comment": "Great support!"},
}
SIDE = {
    "organizations": [{"id": 9, "name": "Acme; Ltd"}],
    "users": [
        {"id": 1, "name": "Ida Kroll", "role": "end-user"},
        {"id": 2, "name": "Max Agent", "role": "agent"},
        {"id": 3, "name": "Bo Colleague", "role": "end-user"},
    ],
}


def zendesk(tmp_path, document, **options):
    return read(write(tmp_path / "export", json.dumps(document)), **options)


def comment(text, author, **more):
    return {"id": 1, "author_id": author, "body": text, "public": True, **more}


def test_a_ticket_with_side_loaded_lists(tmp_path):
    result = zendesk(
        tmp_path, {"tickets": [TICKET], **SIDE, "end_of_stream": True}, keep=("tags", "custom_fields.27642")
    )
    (row,) = result.documents.to_dict("records")
    assert row == {
        "document_id": "35436",
        "source": "zendesk",
        "channel": "web",
        "created_at": row["created_at"],
        "updated_at": pd.Timestamp("2026-03-09T07:10:00Z"),
        "account": "Acme; Ltd",
        "segment": "",
        "amount": pytest.approx(float("nan"), nan_ok=True),
        "stage": "",
        "url": TICKET["url"],
        "subject": "Help",
        "body": "The fire is very colorful.",
        "people": "Ida Kroll;Max Agent",
        "file": str(tmp_path / "export"),
        "row": 1,
        "keep:tags": "enterprise;other_tag",
        "keep:custom_fields.27642": "745",
    }
    assert (
        "read as zendesk, by its content (JSON, list 'tickets'; beside it: organizations, users)"
        in result.said
    )


@pytest.mark.parametrize("shape", ["list", "lines", "page", "users first", "parquet"])
def test_tickets_are_recognised_in_every_shape(tmp_path, shape):
    path = tmp_path / "a"
    if shape == "list":
        write(path, json.dumps([TICKET, TICKET]))
    elif shape == "lines":
        write(path, json.dumps(TICKET) + "\n" + json.dumps(TICKET) + "\n")
    elif shape == "page":
        write(path, json.dumps({"count": 2, "tickets": [TICKET] * 2, "next_page": None}))
    elif shape == "users first":
        write(path, json.dumps({"users": SIDE["users"] * 9, "tickets": [TICKET] * 2}))
    else:
        flat = {
            name: value
            for name, value in TICKET.items()
            if name not in ("custom_fields", "satisfaction_rating")
        }
        pq.write_table(pa.Table.from_pylist([flat, flat]), path)
    result = read(path)
    assert result.column("source") == ["zendesk"] * 2
    assert result.column("body") == ["The fire is very colorful."] * 2
    assert result.column("channel") == ["web"] * 2
    assert result.documents["people"].str.contains("Ida Kroll").all()


def test_a_list_called_tickets_needs_no_more_than_an_id_and_a_text(tmp_path):
    assert zendesk(tmp_path, {"tickets": [{"id": 1, "description": "d"}]}).column("source") == ["zendesk"]
    assert zendesk(tmp_path, [{"id": 1, "description": "d"}]).column("source") == ["table"]


def test_the_account_is_the_organisation_s_id_where_its_name_is_unknown(tmp_path):
    other = {**TICKET, "organization_id": None}
    assert zendesk(tmp_path, [TICKET, other]).column("account") == ["9", ""]


def test_deleted_tickets_and_internal_ones_are_dropped(tmp_path):
    tickets = [
        {**TICKET, "status": "deleted"},
        {**TICKET, "id": 2, "is_public": False},
        {**TICKET, "id": 3, "is_public": True},
    ]
    result = zendesk(tmp_path, {"tickets": tickets})
    assert result.column("document_id") == ["3"]
    assert result.dropped[["row", "document_id", "reason"]].values.tolist() == [
        [1, "35436", "filtered"],
        [2, "2", "internal"],
    ]
    assert zendesk(tmp_path, {"tickets": tickets}, keep_internal=True).column("document_id") == ["2", "3"]


def conversation():
    return [
        comment("The  fire is very\ncolorful.", 1, created_at="2026-01-01T00:00:00Z"),
        comment("Did you reset it?", 2, created_at="2026-01-02T00:00:00Z"),
        comment("Still burning.", 1, created_at="2026-01-05T00:00:00Z"),
        comment("he is angry", 2, public=False, created_at="2026-01-03T00:00:00Z"),
        comment("I see it too.", 3, created_at="2026-01-04T00:00:00Z"),
    ]


@pytest.mark.parametrize("place", ["inside", "beside", "ticket_comments"])
def test_the_customers_comments_join_their_ticket(tmp_path, place):
    if place == "inside":
        document = {"tickets": [{**TICKET, "comments": conversation()}], **SIDE}
    else:
        name = "comments" if place == "beside" else place
        document = {
            name: [{**each, "ticket_id": 35436} for each in conversation()],
            "tickets": [TICKET],
            **SIDE,
        }
    result = zendesk(tmp_path, document)
    assert result.column("body") == ["The fire is very colorful.\n\x1e\nI see it too.\n\x1e\nStill burning."]
    assert result.dropped["reason"].tolist() == ["agent", "internal"]
    assert result.dropped["document_id"].tolist() == ["35436"] * 2
    assert result.merged == 3
    assert result.column("people") == ["Ida Kroll;Max Agent;Bo Colleague"]
    if place != "inside":
        assert result.dropped["row"].tolist() == [2, 4]


def test_without_users_whoever_is_not_the_requester_is_an_agent(tmp_path):
    ticket = {**TICKET, "comments": [*conversation(), comment("no author", None)]}
    result = zendesk(tmp_path, [ticket])
    assert result.column("body") == ["The fire is very colorful.\n\x1e\nno author\n\x1e\nStill burning."]
    assert sorted(result.dropped["reason"]) == ["agent", "agent", "internal"]


def test_internal_comments_are_kept_when_asked_for(tmp_path):
    result = zendesk(tmp_path, [{**TICKET, "comments": conversation()}], keep_internal=True)
    assert "he is angry" in result.column("body")[0]
    assert result.dropped["reason"].tolist() == ["agent", "agent"]


def test_comments_without_their_ticket_are_dropped_and_told(tmp_path):
    document = {"tickets": [TICKET], "comments": [{**comment("lost", 1), "ticket_id": 99}]}
    result = zendesk(tmp_path, document)
    assert result.dropped[["row", "document_id", "reason"]].values.tolist() == [[1, "99", "filtered"]]
    assert "1 comments belong to tickets that are not in the file; dropped" in result.said


def test_what_is_no_ticket_is_rejected(tmp_path):
    result = zendesk(tmp_path, {"tickets": [TICKET, None, TICKET]})
    assert result.reasons == [(2, "null where an object is expected")]
    assert result.column("row") == [1, 3]


def test_a_ticket_without_id_gets_one_from_its_cells(tmp_path):
    first, second = zendesk(tmp_path, [{**TICKET, "id": None}, TICKET]).column("document_id")
    assert first.startswith("row-")
    assert second == "35436"


API_HEADER = "Id,CreatedDate,LastModifiedDate,AccountName,OpportunityStage,Amount,Owner,Subject,Description"
API_ROW = (
    "00T8d0000AHA4100EA,2026-03-02T15:10:00.000Z,2026-03-05T00:00:00.000Z,Halloran,"
    'Renewal,"41,200",Tobias Fenn,Recap,They want SSO.'
)


def test_a_salesforce_task_export(tmp_path):
    (row,) = read(write(tmp_path / "a.csv", f"{API_HEADER}\n{API_ROW}\n")).documents.to_dict("records")
    assert {name: str(row[name]) for name in DOCUMENTS if name != "file"} == {
        "document_id": "00T8d0000AHA4100EA",
        "source": "salesforce",
        "channel": "sales_note",
        "created_at": "2026-03-02 15:10:00+00:00",
        "updated_at": "2026-03-05 00:00:00+00:00",
        "account": "Halloran",
        "segment": "",
        "amount": "41200.0",
        "stage": "Renewal",
        "url": "",
        "subject": "Recap",
        "body": "They want SSO.",
        "people": "Tobias Fenn",
        "row": "1",
    }


def test_a_salesforce_report_with_labels(tmp_path):
    content = (
        "Activity ID\tAssigned\tCompany / Account\tSubject\tActivity Date\tContact\tFull Comments\t"
        "Call Type\tTask Subtype\n"
        "00T1\tDana W\tMontara\tDemo\t3/25/2026\tGareth P\tLit up at the map.\tOutbound\tTask\n"
        "00T2\t0058d000001\t\tMail\t3/26/2026\tx@example.org\tAsks for API.\t\tEmail\n"
        "00T3\t\t\tNote\t3/27/2026\t\tNothing.\t\tTask\n"
    )
    result = read(write(tmp_path / "a.txt", content))
    assert result.column("source") == ["salesforce"] * 3
    assert result.column("channel") == ["call", "email", "sales_note"]
    assert result.column("body") == ["Lit up at the map.", "Asks for API.", "Nothing."]
    assert result.column("people") == ["Dana W;Gareth P", "", ""]
    assert [str(time.date()) for time in result.documents["created_at"]] == [
        "2026-03-25",
        "2026-03-26",
        "2026-03-27",
    ]


def test_private_notes_are_internal(tmp_path):
    header = "Id,ParentId,Title,Body,IsPrivate,OwnerId,CreatedDate\n"
    content = header + "1,a,T,one,true,005,2026-01-01\n2,a,T,two,false,005,2026-01-01\n"
    path = write(tmp_path / "a.csv", content)
    assert read(path).column("body") == ["two"]
    assert read(path).dropped["reason"].tolist() == ["internal"]
    assert read(path, keep_internal=True).column("body") == ["one", "two"]


@pytest.mark.parametrize(
    "header",
    [
        "Id,CaseNumber,AccountId,Subject,Description,CreatedDate",
        "id,created_at,account,text",
        "Description,Owner",
    ],
)
def test_what_is_neither_is_a_table(tmp_path, header):
    path = write(tmp_path / "a.csv", header + "\n" + ",".join("abcdef"[: header.count(",") + 1]) + "\n")
    assert read(path).column("source") == ["table"]


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("note,text", "text"),
        ("Note,BODY", "BODY"),
        ("title,Description (Plain Text)", "Description (Plain Text)"),
        ("id,plain_body", "plain_body"),
        ("id,Comments", "Comments"),
        ("id,Review Text,Review Title", "Review Text"),
        ("Ticket ID,Ticket name,Ticket description", "Ticket description"),
        ("customerFeedback,score", "customerFeedback"),
        ("comment_count,message", "message"),
        ("Text length,Full text", "Full text"),
    ],
)
def test_the_text_column_is_found(tmp_path, header, taken):
    names = header.split(",")
    cells = ",".join(f"value {name}" for name in names)
    assert read(write(tmp_path / "a.csv", f"{header}\n{cells}\n")).column("body") == [f"value {taken}"]


def test_of_two_text_columns_the_better_filled_one_is_taken_and_told(tmp_path):
    path = write(tmp_path / "a.csv", "note,body,comment\nn,,c\nm,,d\n")
    result = read(path)
    assert result.column("body") == ["c", "d"]
    assert "text column: 'comment' (also fits: 'body', 'note'; choose with --text-column)" in result.said
    assert read(path, text_column="note").column("body") == ["n", "m"]
    assert read(path, text_column="NOTE ").column("body") == ["n", "m"]


def test_no_text_column_is_an_error_that_lists_what_there_is(tmp_path):
    long = "I am a whole complaint and no name of a column at all, sorry about that!"
    with pytest.raises(
        InputError, match=r"--text-column NAME.*'id', 'score', \(column 3: too long to be a name\)"
    ) as caught:
        read(write(tmp_path / "a.csv", f'id,score,"{long}"\n1,2,3\n'))
    assert "complaint" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "flag"),
    [
        ("text_column", "--text-column"),
        ("subject_column", "--subject-column"),
        ("id_column", "--id-column"),
        ("date_column", "--date-column"),
        ("account_column", "--account-column"),
        ("amount_column", "--amount-column"),
    ],
)
def test_a_named_column_that_is_missing_is_an_error_with_the_nearest(tmp_path, option, flag):
    path = write(tmp_path / "a.csv", "id,my_words,text\n1,a,b\n")
    with pytest.raises(
        InputError, match=rf"no column 'my_wordz' \({flag}\); did you mean 'my_words'\? columns found: 'id'"
    ):
        read(path, **{option: "my_wordz"})


def test_named_columns_are_taken_as_they_are(tmp_path):
    path = write(
        tmp_path / "a.csv", "k,head,words,when,who,money\n1,H,T,2026-01-02,Acme,$5k\n1,H,U,bad,Acme,?\n"
    )
    result = read(
        path,
        text_column="words",
        subject_column="head",
        id_column="k",
        date_column="when",
        account_column="who",
        amount_column="money",
    )
    assert result.documents[["document_id", "subject", "body", "account"]].values.tolist() == [
        ["1", "H", "T", "Acme"],
        ["1", "H", "U", "Acme"],
    ]
    assert result.column("amount") == pytest.approx([5000.0, float("nan")], nan_ok=True)
    assert (
        "created_at: 1 of 2 values could not be read as dates; left empty; see --date-format" in result.said
    )
    assert (
        "amount: 1 of 2 values could not be read as amounts; left empty; see --amount-column" in result.said
    )


def test_a_named_column_need_be_in_the_tables_only(tmp_path):
    tickets = write(tmp_path / "t.json", json.dumps([TICKET]))
    table = write(tmp_path / "a.csv", "k,words\n1,hello\n")
    result = read(tickets, table, text_column="words")
    assert result.column("body") == ["The fire is very colorful.", "hello"]
    assert "no column 'words' (--text-column); read without it" in result.said
    with pytest.raises(InputError, match="no column 'words'"):
        read(tickets, text_column="words")


def test_a_forced_source_that_does_not_fit_is_an_error(tmp_path):
    path = write(tmp_path / "a.csv", "id,text\n1,a\n")
    with pytest.raises(
        InputError, match="read as zendesk, but holds no column description; leave --source out"
    ):
        read(path, source="zendesk")
    assert "read as table, --source" in read(path, source="table").said


def test_an_unknown_source_is_refused(tmp_path):
    with pytest.raises(
        InputError, match="'zendsek' is unknown; did you mean zendesk\\? known: auto, zendesk"
    ):
        read(write(tmp_path / "a.csv", "text\n"), source="zendsek")


def test_a_missing_text_column_of_a_known_source_is_named_too(tmp_path):
    path = write(tmp_path / "a.csv", "id,score\n1,2\n")
    with pytest.raises(InputError, match="no column 'words'"):
        read(path, text_column="words")


def test_columns_of_one_name(tmp_path):
    path = write(tmp_path / "a.csv", "id,Labels,Comment,Labels,Comment\n1,a,,b,second\n2,,first,c,third\n")
    result = read(path, keep=("labels",))
    assert result.column("body") == ["second", "first"]
    assert result.column("keep:labels") == ["a;b", "c"]


def test_other_columns_of_a_table(tmp_path):
    sheet = {
        "S": [
            ["Ref", "Company", "Plan", "ARR", "Source", "Link", "Title", "Review", "Author"],
            [101, "Acme", "pro", 1200.5, "App Store", "https://a.example", "Bad", "Slow", "Ida K"],
        ]
    }
    (row,) = read(workbook(tmp_path / "a.xlsx", sheet)).documents.to_dict("records")
    wanted = {
        "document_id": "101",
        "account": "Acme",
        "segment": "pro",
        "amount": 1200.5,
        "channel": "App Store",
    }
    wanted |= {"url": "https://a.example", "subject": "Bad", "body": "Slow", "people": "Ida K"}
    assert {name: row[name] for name in wanted} == wanted


def test_sources_and_formats_describe_themselves():
    sources = {each.name: each for each in describe_sources()}
    assert list(sources) == ["zendesk", "salesforce", "table"]
    for each in sources.values():
        assert each.title
        assert each.recognised_by
        assert set(each.columns) <= set(DOCUMENTS)
        assert "body" in each.columns
    assert [each.name for each in describe_formats()] == ["csv", "json", "jsonl", "parquet", "xlsx"]
    assert sources["table"].formats == tuple(each.name for each in describe_formats())
