"""Who wrote an export: Zendesk, Salesforce, or anybody's table.

In: the names of an input's columns. Out: which of them becomes which column of the documents.
Never reads a file (that is `formats`).

To add a source: one entry in SOURCES, before the table, which fits everything.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from classifier.errors import InputError
from classifier.read import zendesk
from classifier.read.columns import TEXT_NAMES, fold, matches
from classifier.read.drops import Drop
from classifier.read.formats import FORMATS, Feed
from classifier.read.options import ReadOptions
from classifier.read.records import Record

Columns = Mapping[str, tuple[str, ...]]
"""Column of the documents -> folded names in the input, best first. `people` takes all that are there."""


@dataclass(frozen=True)
class Source:
    """One kind of export.

    Parameters
    ----------
    recognised_by
        For people: how `--source auto` tells.
    fits
        Decides on the folded names of the columns and the name of the list of rows (JSON).
    columns
        Where the columns of the documents come from.
    lists
        Names of the list of rows in a JSON document, best first; () takes the longest header.
    joined
        Joins side-loaded lists to the rows of a JSON document, under `joined_names`.
    values
        For a column: value in the input, lower case -> value in the documents; "" = the default.
    drops
        Rows to leave out; the first that fits a row gives the reason.
    endings
        For a column: how folded names end that fit, too, where none fits as a whole.
    guessed
        The columns' names are anybody's: one column is chosen per purpose, a text column also by
        the last word of its name, and an id must prove to be one.
    """

    name: str
    title: str
    recognised_by: str
    fits: Callable[[frozenset[str], str], bool]
    columns: Columns
    lists: tuple[str, ...] = ()
    joined_names: tuple[str, ...] = ()
    joined: Callable[[Feed, str, ReadOptions, list[str]], Iterator[Record]] | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drops: tuple[Drop, ...] = ()
    endings: Columns = field(default_factory=dict)
    guessed: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _zendesk_fits(names: frozenset[str], rows_list: str) -> bool:
    if not names & {"description", "rawsubject", "subject"} or "id" not in names or names & _FRESHDESK_MARKS:
        return False
    if rows_list == "tickets":
        return True
    marks = {name for name in _ZENDESK_MARKS if any(each.startswith(name) for each in names)}
    return len(marks) >= 3


def _salesforce_fits(names: frozenset[str], rows_list: str) -> bool:
    """Tasks, events and notes; a case has its own columns and is another source."""
    if "casenumber" in names or not names & _SALESFORCE_TEXTS:
        return False
    return len(names & _SALESFORCE_MARKS) >= 2


_ZENDESK_MARKS = _words(
    "requesterid submitterid assigneeid organizationid groupid via rawsubject "
    "satisfactionrating customfields ticketformid brandid followupids problemid "
    "hasincidents collaboratorids"
)

# Freshdesk's tickets have many of Zendesk's columns, and Zendesk's have none of these.
_FRESHDESK_MARKS = {"responderid", "frescalated", "isescalated", "descriptiontext"}

_SALESFORCE_TEXTS = {"description", "comments", "fullcomments", "body"}
_SALESFORCE_MARKS = frozenset(
    _words(
        "createddate activitydate accountname accountid opportunitystage opportunity "
        "opportunityname stagename whoid whatid ownerid calltype calldisposition "
        "calldurationinseconds tasksubtype companyaccount activityid isprivate"
    )
)

_TRUE, _FALSE = "true|yes|1", "false|no|0"
_BELOW_HEADER = r'recorded date|\{"importid":.*'
_ONE_OF_MANY = frozenset({"ticketid", "conversationid"})
"""Columns of a table that has a row for each message."""

_TABLE_DROPS = (
    Drop("internal", ("parttype", "messagetype", "threadtype"), "note", told=True),
    Drop(
        "internal", ("private", "isprivate", "internal", "isinternal"), _TRUE, beside=_ONE_OF_MANY, told=True
    ),
    Drop("internal", ("public", "ispublic"), _FALSE, beside=_ONE_OF_MANY | {"authorid"}, told=True),
    Drop(
        "agent",
        ("authortype", "messageauthortype", "sourceauthortype", "sendertype"),
        "admin|agent|bot|operator|system|teammate",
        mixed=True,
        told=True,
    ),
    Drop(
        "agent",
        ("direction", "messagedirection"),
        "outbound|outgoing",
        beside=frozenset({"messageid"}),
        mixed=True,
        told=True,
    ),
    Drop("agent", ("incoming",), _FALSE, beside=_ONE_OF_MANY, mixed=True, told=True),
    Drop("filtered", ("spam", "isspam"), _TRUE, told=True),
    Drop("filtered", ("isdeleted",), _TRUE, told=True),
    # Qualtrics writes its questions and their ids below the header.
    Drop("filtered", ("recordeddate",), _BELOW_HEADER, beside=frozenset({"responseid"}), told=True),
)

SOURCES: Mapping[str, Source] = {
    each.name: each
    for each in (
        Source(
            name="zendesk",
            title="Zendesk tickets (incremental or account export), with comments, users and organisations",
            recognised_by="id and subject or description in a list 'tickets', or in rows that also have "
            "three of requester_id, via, organization_id, raw_subject, custom_fields…",
            fits=_zendesk_fits,
            lists=("tickets",),
            joined_names=(zendesk.CONVERSATION, zendesk.ORGANIZATION, zendesk.PEOPLE),
            joined=zendesk.joined,
            columns={
                "document_id": ("id",),
                "channel": ("viachannel", "via"),
                "created_at": ("createdat",),
                "updated_at": ("updatedat",),
                "account": (fold(zendesk.ORGANIZATION), "organizationname", "organizationid"),
                "url": ("url",),
                "subject": ("subject", "rawsubject"),
                "body": (fold(zendesk.CONVERSATION), "description"),
                "people": (fold(zendesk.PEOPLE), "viasourcefromname", "requestername", "assigneename"),
            },
            drops=(Drop("filtered", ("status",), "deleted"), Drop("internal", ("ispublic",), "false")),
        ),
        Source(
            name="salesforce",
            title="Salesforce tasks and notes, by Data Loader or as a report",
            recognised_by="a column Description, Comments or Body and two of CreatedDate, ActivityDate, "
            "AccountName, AccountId, OpportunityStage, WhoId, CallType…",
            fits=_salesforce_fits,
            columns={
                "document_id": ("id", "activityid", "taskid"),
                "channel": ("calltype", "tasksubtype"),
                "created_at": ("createddate", "activitydate", "date", "start", "lastmodifieddate"),
                "updated_at": ("lastmodifieddate", "systemmodstamp"),
                "account": ("accountname", "companyaccount", "account", "accountid"),
                "segment": ("segment", "accountsegment"),
                "amount": ("amount", "opportunityamount"),
                "stage": ("opportunitystage", "stagename", "stage"),
                "url": ("url", "link"),
                "subject": ("subject", "title"),
                "body": ("description", "fullcomments", "comments", "body"),
                "people": _words(
                    "owner ownername ownerfullname assigned assignedto who whoname contact contactname "
                    "lead createdby createdbyname"
                ),
            },
            values={
                "channel": {
                    **dict.fromkeys(("", "task", "cadence", "linkedin"), "sales_note"),
                    **dict.fromkeys(("call", "inbound", "outbound", "internal"), "call"),
                    **dict.fromkeys(("email", "listemail"), "email"),
                }
            },
            drops=(Drop("internal", ("isprivate",), "true"), Drop("filtered", ("isdeleted",), "true")),
        ),
        Source(
            name="table",
            title="Any table with a column of text",
            recognised_by="whatever is none of the others; --text-column and its kin choose the columns",
            fits=lambda names, rows_list: True,
            columns={
                "document_id": _words(
                    "id documentid ticketid caseid conversationid messageid reviewid responseid "
                    "feedbackid commentid noteid recordid externalid uuid guid issuekey key number "
                    "ticketnumber casenumber no ref"
                ),
                "channel": ("channel", "viachannel", "via", "origin", "medium", "kind", "source"),
                "created_at": _words(
                    "createdat created createddate createdtime createdon createdate date timestamp time "
                    "datetime submittedat submitteddate submitted postedat posted publishedat published "
                    "receivedat received reviewdate reviewsubmitdateandtime feedbackdate sentat openedat "
                    "at recordeddate submitdate submitdateutc messagedate activitydate ts"
                ),
                "updated_at": _words(
                    "updatedat updated updateddate updatedon lastupdatedat lastupdated lastupdate "
                    "lastupdatetime lastupdatedtime modifiedat modified datemodified lastmodified "
                    "lastmodifieddate lastmodifiedat modifieddate modifiedon updatedtime hslastmodifieddate "
                    "reviewlastupdatedateandtime"
                ),
                "account": _words(
                    "account accountname company companyname organization organisation organizationname "
                    "organisationname customer customername client clientname associatedcompany "
                    "ticketorganizationname requesterorganization messageauthorcompanies accountid "
                    "organizationid companyid"
                ),
                "segment": ("segment", "customersegment", "accountsegment", "tier", "plan"),
                "amount": ("amount", "arr", "mrr", "value", "dealvalue", "dealamount", "acv", "revenue"),
                "stage": ("stage", "opportunitystage", "stagename", "dealstage", "pipelinestage"),
                "url": ("url", "link", "permalink", "reviewlink", "displayurl", "weburl"),
                "subject": _words(
                    "subject title summary headline topicline reviewtitle ticketname ticketsubject "
                    "tickettitle casesubject emailsubject messagesubject conversationsubject "
                    "conversationtitle calltitle posttitle ideatitle notetitle issuesummary"
                ),
                "body": TEXT_NAMES,
                "people": _words(
                    "requester requestername submitter assignee assigneename agent agentname author "
                    "authorname owner ownername reporter creator contact contactname username fullname "
                    "reviewer reviewername"
                ),
            },
            endings={
                "created_at": _words(
                    "createdat createddate createdate createdtime createdon createdutc created submittedat "
                    "submitted postedat receivedat publishedat sentat openedat opened messagedate starttime"
                ),
                "people": _words(
                    "authorname authordisplayname reportername reporterdisplayname creatordisplayname "
                    "assigneename assigneedisplayname requestername agentname ownername caseowner "
                    "contactname personname sendername fromname reviewernickname realname firstname lastname"
                ),
            },
            drops=_TABLE_DROPS,
            guessed=True,
        ),
    )
}

AUTO = "auto"


@dataclass(frozen=True)
class SourceDescription:
    """One source for `classifier sources`: `columns` = column of the documents -> names it is read from."""

    name: str
    title: str
    formats: tuple[str, ...]
    recognised_by: str
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FormatDescription:
    """One format for `classifier sources`; `packed`: gzip and zstd are unpacked."""

    name: str
    title: str
    packed: bool


def describe_sources() -> list[SourceDescription]:
    """Return what `--source` takes, in the order in which `auto` tries them."""
    return [
        SourceDescription(each.name, each.title, tuple(FORMATS), each.recognised_by, each.columns)
        for each in SOURCES.values()
    ]


def describe_formats() -> list[FormatDescription]:
    """Return the formats that are read; which one a file has is decided by its content."""
    return [FormatDescription(each.name, each.title, each.packed) for each in FORMATS.values()]


def check_source(name: str) -> None:
    """Refuse a name that is no source.

    Raises
    ------
    InputError
        With the nearest name and all that there are.
    """
    known = [AUTO, *SOURCES]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"--source {name!r} is unknown; {hint}known: {', '.join(known)}")


def source_of(feed: Feed, wanted: str) -> tuple[Source, str]:
    """Return the source of a feed, and the name of the list that holds its rows (JSON only).

    `wanted` is a source's name or `auto`.
    """
    sources = SOURCES.values() if wanted == AUTO else [SOURCES[wanted]]
    for source in sources:
        for name, names in _row_lists(feed, source):
            if source.fits(frozenset(map(fold, names)), name):
                return source, name
    forced = SOURCES["table" if wanted == AUTO else wanted]
    return forced, _row_lists(feed, forced)[0][0]


def _row_lists(feed: Feed, source: Source) -> list[tuple[str, tuple[str, ...]]]:
    """Return the lists that may hold the rows, with the names of their columns."""
    if feed.elements is None:
        return [("", feed.names)]
    named = [(name, feed.lists[name]) for name in (*source.lists, "") if name in feed.lists]
    # Of lists of unknown names, one with a text; then the one with the most columns.
    others = sorted(
        feed.lists.items(), key=lambda each: (not matches(TEXT_NAMES, each[1]), -len(each[1]), each[0])
    )
    return (named if source.lists else [*named, *others]) or [("", ())]
