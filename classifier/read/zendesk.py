"""Zendesk's side-loaded lists, joined to the tickets.

In: a feed with tickets and perhaps organisations, users and comments. Out: one record per ticket,
with the customer's comments in its text. Never lets an agent's or an internal comment through.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from classifier.chars import BETWEEN_MESSAGES
from classifier.read.formats import Feed
from classifier.read.options import ReadOptions
from classifier.read.records import Record, plain, record_of
from classifier.read.rows import Fault

CONVERSATION = "ticket.conversation"
ORGANIZATION = "organization.name"
PEOPLE = "ticket.people"
"""Columns that the join adds to a ticket's own."""

_COMMENTS = ("comments", "ticket_comments")
_SIDE_LISTS = ("organizations", "users", *_COMMENTS)
_AGENTS = ("agent", "admin")
_PEOPLE_IDS = ("requester_id", "submitter_id", "assignee_id")


@dataclass
class _Side:
    """What was side-loaded, by id; comments by ticket, each with its place in its list."""

    organizations: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    comments: dict[str, list[tuple[int, Mapping[str, Any]]]] = field(default_factory=dict)

    def add(self, kind: str, place: int, value: Mapping[str, Any]) -> None:
        key = plain(value.get("id"))
        if kind == "organizations":
            self.organizations[key] = plain(value.get("name"))
        elif kind == "users":
            self.names[key] = plain(value.get("name"))
            self.roles[key] = plain(value.get("role"))
        else:
            self.comments.setdefault(plain(value.get("ticket_id")), []).append((place, value))


def joined(feed: Feed, rows_list: str, options: ReadOptions, notes: list[str]) -> Iterator[Record]:
    """Yield the tickets of a list with what belongs to them.

    A comment counts as a row of its own: merged into the ticket if it is the customer's, else
    dropped as `agent` or `internal`; comments whose ticket isn't there are dropped as `filtered`.
    `satisfaction_rating.comment` stays out: it rates the agent, not the product.
    """
    side = _side(feed) if any(name in feed.lists for name in _SIDE_LISTS) else _Side()
    assert feed.elements is not None
    for name, place, value in feed.elements(notes):
        if name == rows_list and place:
            record = record_of(place, value)
            yield _with_side(record, side, keep_internal=options.keep_internal) if record.values else record
    orphans = [
        Fault(place, "filtered", document_id=ticket)
        for ticket, comments in side.comments.items()
        for place, _ in comments
    ]
    if orphans:
        notes.append(f"{len(orphans)} comments belong to tickets that are not in the file; dropped")
        yield Record(orphans[0].row, None, dropped=tuple(orphans))


def _side(feed: Feed) -> _Side:
    side = _Side()
    assert feed.elements is not None
    for name, place, value in feed.elements([]):
        if name in _SIDE_LISTS and place and isinstance(value, dict):
            side.add(name, place, value)
    return side


def _with_side(record: Record, side: _Side, *, keep_internal: bool) -> Record:
    ticket = dict(record.values or {})
    key = plain(ticket.get("id"))
    comments = [*_nested(ticket, record.number), *side.comments.pop(key, [])]
    people = [side.names.get(plain(ticket.get(name)), "") for name in _PEOPLE_IDS]
    people += [side.names.get(plain(comment.get("author_id")), "") for _, comment in comments]
    ticket[PEOPLE] = list(dict.fromkeys(name.replace(";", ",") for name in people if name))
    organization = side.organizations.get(plain(ticket.get("organization_id")), "")
    # The account export has the organisation inside each ticket.
    if organization or not isinstance(ticket.get("organization"), dict):
        ticket[ORGANIZATION] = organization
    if not comments:
        return Record(record.number, ticket)
    taken, dropped = _sorted_out(ticket, comments, side.roles, keep_internal=keep_internal)
    ticket[CONVERSATION] = BETWEEN_MESSAGES.join(taken)
    faults = tuple(Fault(place, reason, document_id=key) for place, reason in dropped)
    return Record(record.number, ticket, dropped=faults, merged=len(comments) - len(dropped))


def _nested(ticket: dict[str, Any], number: int) -> list[tuple[int, Mapping[str, Any]]]:
    """Take the comments that lie inside a ticket out of it; they have the ticket's row."""
    comments = ticket.pop("comments", None)
    if not isinstance(comments, list):
        return []
    return [(number, comment) for comment in comments if isinstance(comment, dict)]


def _sorted_out(
    ticket: Mapping[str, Any],
    comments: Sequence[tuple[int, Mapping[str, Any]]],
    roles: Mapping[str, str],
    *,
    keep_internal: bool,
) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the texts of the conversation, description first, and the comments to drop with the reason."""
    description = plain(ticket.get("description"))
    seen = {_squeezed(description)}
    taken = [description] if description else []
    dropped: list[tuple[int, str]] = []
    for place, comment in sorted(comments, key=lambda each: plain(each[1].get("created_at"))):
        text = plain(comment.get("plain_body") or comment.get("body") or comment.get("html_body"))
        internal = comment.get("public") is False
        if internal and not keep_internal:
            dropped.append((place, "internal"))
        elif _squeezed(text) in seen:
            # The first comment is the description once more.
            continue
        elif not internal and _by_agent(comment, ticket, roles):
            dropped.append((place, "agent"))
        else:
            seen.add(_squeezed(text))
            taken.append(text)
    return taken, dropped


def _by_agent(comment: Mapping[str, Any], ticket: Mapping[str, Any], roles: Mapping[str, str]) -> bool:
    author = plain(comment.get("author_id"))
    if not author or author == plain(ticket.get("requester_id")):
        return False
    # Without a list of users, whoever isn't the requester answers.
    return roles.get(author, "agent") in _AGENTS


def _squeezed(text: str) -> str:
    return " ".join(text.split())
