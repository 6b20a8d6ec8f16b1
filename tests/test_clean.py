"""Cleaning: HTML and mail tails go, everything else stays as it was written."""

import unicodedata

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing import grows_linearly

from classifier.clean import clean, clean_column, document_text, is_auto_reply, is_forward

PLAIN = [
    "",
    " ",
    "  leading and trailing  \n",
    "I <3 this app",
    "x < y and y > z",
    "if a<b and b>a then a<b",
    "List<String> and Map<K, V> don't compile",
    "it says <unknown> in the title",
    "<unknown> is what it says",
    "our feed has <order><id>5</id></order> in it",
    "<?xml version='1.0'?> is missing from the feed",
    "please support <br> in notes",
    'it prints "<br>" between the lines',
    "how do I use <b> in a comment?",
    "the <p> tag is dropped from my HTML<br>and so is <div>",
    'My page:\n```\n<div class="x">hi</div>\n```\nlooks broken',
    'It fails with <form action="x"><input name="y"></form> since Monday',
    "-> --> <!-- arrows",
    "Tom &amp; Jerry, R&D, AT&T &copy 2024",
    "the PDF shows &nbsp; instead of blanks",
    "Names print as O&#39;Brien",
    "5 &lt; 6 &gt; 4",
    "https://example.com/?a=1&sect=2&lt=3",
    "> he said it works\nIt doesn't.",
    "hi, here is what we got:\n> your invoice is late\n> pay now",
    "On Monday 3 March he wrote:\nthat it works",
    "On 3 March Ann wrote:\n> does it work?",  # nothing before the quote
    "Yes.\n\nOn 3 March Ann wrote:\n> does it work?\n\nAnd one thing more: it is slow.",
    "See below, this is the third time.\n\nOn Tue, 3 Mar 2026 Ann wrote:\n> it is slow",
    "Fwd: slow again\nWhat do we tell her?\n\nOn Tue, 3 Mar 2026 Ann wrote:\n> it is slow",
    "FYI\n\nFrom: Ann <ann@example.com>\nSent: 3 March 2026 10:00\nTo: me\nSubject: slow\n\nIt is slow.",
    "From: London\nTo: Paris\nthe search finds nothing",
    "one\n--\ntwo\n---\nthree",
    "- a\n- b\n-- c",
    "Sent from my iPhone",
    "Sent from my iPhone the form can't be saved, from the laptop it can",
    "Two lines\nSent from my desk in a hurry",
    "tabs\tand\u00a0no-break spaces stay",
    "lone \r return",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_stays(text: str) -> None:
    assert clean(text) == text


HTML = [
    ("<p>It&#39;s back.</p><p>31 this time.</p>", "It's back.\n\n31 this time."),
    ("<div>Same story.</div><div><br></div><div>Curtis</div>", "Same story.\n\nCurtis"),
    ("<DIV>One</DIV><DIV>Two</DIV>", "One\nTwo"),
    ("Please see to it.<br><br>N. Hobbs<br>", "Please see to it.\n\nN. Hobbs"),
    ("one<br />\ntwo<br/>\nthree", "one\ntwo\nthree"),
    ("Hi Bob,<div><br></div><div>It fails.</div>", "Hi Bob,\n\nIt fails."),
    ('<p>See <a href="https://example.com/x?y=1">the page</a>.</p>', "See the page."),
    ('Hello, <a href="https://example.com">this</a> is broken', "Hello, this is broken"),
    ('<span style="color:red">No</span> export', "No export"),
    ("<ul><li>slow</li><li>dear</li></ul>", "slow\ndear"),
    ("<table><tr><td>Mon</td><td>5</td></tr><tr><td>Tue</td><td>6</td></tr></table>", "Mon  5\nTue  6"),
    ("<p>a\n  b</p>\n\n<p>c</p>", "a b\n\nc"),
    ("<pre>a\n  b</pre><p>c</p>", "a\nb\n\nc"),
    ("<style>p {color: red}</style><p>Late again</p>", "Late again"),
    (
        "<html><head><title>t</title></head><body>Late<script>alert('<p>')</script> again</body></html>",
        "Late again",
    ),
    ("<p>a<!-- <p>hidden</p> -->b</p>", "ab"),
    ("<!DOCTYPE html><p>x</p>", "x"),
    ("<p class=MsoNormal>Hello<o:p></o:p></p><![if !x]><p>you</p>", "Hello\n\nyou"),
    ("<p>5 &lt; 6 &amp; 7 &gt; 6&nbsp;&eacute;&#x41;&#66;</p>", "5 < 6 & 7 > 6 éAB"),
    ("<p>error in <module></p>", "error in <module>"),
    ("<p>I &lt;3 it</p>", "I <3 it"),
    ("<p>a style without its end stays: </p><style>b", "a style without its end stays:\n\nb"),
    ("&lt;p&gt;Late&lt;/p&gt;&lt;p&gt;again&lt;/p&gt;", "Late\n\nagain"),
    ("&amp;lt;p&amp;gt;Late&amp;lt;/p&amp;gt;", "Late"),
    ("I can&#39;t save &amp; it&#39;s slow", "I can't save & it's slow"),
    ("we don&amp;#39;t use it", "we don't use it"),
    ("Hello,&nbsp;it fails", "Hello, it fails"),
    ("<p></p>", ""),
    ("<p>Why?</p><blockquote>it<br>works</blockquote>", "Why?\n> it\n> works"),
    (
        "<div>No.</div><div>On Wed, 4 Mar 2026 at 14:17 Ann &lt;ann@example.com&gt; wrote:"
        "<blockquote><p>Better?</p></blockquote></div>",
        "No.",
    ),
]


@pytest.mark.parametrize(("text", "expected"), HTML)
def test_html_becomes_text(text: str, expected: str) -> None:
    assert clean(text) == expected


QUOTE = "> Can you have a look?\n> It was fine here."
HEAD = "From: Ann Lee <ann@example.com>\nSent: 3 March 2026 10:00\nTo: Support\nSubject: slow\n\nIt is slow."
MAIL = [
    f"No.\n\nOn Thu, Feb 26, 2026 at 4:12 PM Camille Roy wrote:\n{QUOTE}",
    f"No.\n\nOn Thu, Feb 26, 2026 at 4:12 PM Camille Roy <\ncamille@example.com> wrote:\n\n{QUOTE}\n",
    "No.\n\n> On 26 Feb 2026, at 16:12, Camille Roy wrote:\n>\n> Can you look?",
    f"No.\n\nAm 26.02.2026 um 16:12 schrieb Camille Roy:\n{QUOTE}",
    f"No.\n\nLe jeu. 26 févr. 2026 à 16:12, Camille Roy a écrit :\n{QUOTE}",
    f"No.\n\nEl jue, 26 feb 2026 a las 16:12, Camille Roy escribió:\n{QUOTE}",
    f"No.\n\nOp do 26 feb. 2026 om 16:12 schreef Camille Roy:\n{QUOTE}",
    f"No.\n\n-----Original Message-----\n{HEAD}",
    f"No.\n\n{HEAD}",
    f"No.\n\n________________________________\n{HEAD}",
    "No.\n\nVon: Ann Lee\nGesendet: 3. März 2026 10:00\nAn: Support\nBetreff: langsam\n\nEs ist langsam.",
    "No.\n\nDe : Ann Lee\nEnvoyé : mardi 3 mars 2026 10:00\nÀ : Support\nObjet : lent\n\nC'est lent.",
    "No.\n-- \nAnn Lee\nACME",
    "No.\n\nSent from my iPhone",
    "No.\nSent from my Samsung Galaxy smartphone.\n\n",
    "No.\nGet Outlook for iOS",
    "No.\n\nVon meinem iPhone gesendet",
    "No.\n\nEnvoyé de mon iPhone",
    f"No.\n-- \nAnn Lee\n\nSent from my iPhone\n\nOn Thu, Feb 26, 2026 Camille Roy wrote:\n{QUOTE}",
]


@pytest.mark.parametrize("text", MAIL)
def test_mail_tails_are_cut(text: str) -> None:
    assert clean(text) == "No."


def test_normal_form_and_line_ends() -> None:
    assert clean("cafe\u0301\r\nau lait\r\r\n") == "café\nau lait\n"


def test_text_escaped_too_often_is_left_alone() -> None:
    text = "<p>x</p>"
    for _ in range(12):
        text = text.replace("&", "&amp;").replace("<", "&#60;").replace("m", "<b></b>m")
    assert clean(text) == clean(clean(text))


WORDS = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<br>",
            "<br/>",
            "<div>",
            "</div>",
            "<b>",
            "</b>",
            "<blockquote>",
            "</blockquote>",
            "<pre>",
            "</pre>",
        ),
        *(
            "<a href='https://x.y'>",
            "</a>",
            "<style>",
            "</style>",
            "<!--",
            "-->",
            "<x>",
            "<",
            ">",
            "&lt;",
            "&gt;",
            "&amp;",
            "&#39;s",
        ),
        *(
            "&nbsp;",
            "&#38;",
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            " ",
            "\n> ",
            "> ",
            "On 3 March Ann wrote:",
            "\n-- \n",
            "Sent from my iPhone",
        ),
        *(
            "From: Ann",
            "Sent: 3 March 2026",
            "To: me",
            "Fwd: ",
            "word",
            "a",
            "e\u0301",
            "\u0301",
            "ж",
            "\u00a0",
            "\ufdd0",
            "lt;",
            "p",
        ),
    ]
)
TEXTS = st.lists(WORDS, max_size=25).map("".join) | st.text(max_size=60)


@settings(max_examples=600)
@given(TEXTS)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@settings(max_examples=300)
@given(TEXTS)
def test_nothing_is_invented(text: str) -> None:
    """Letters come out in the order in which they went in, unless an entity spells one."""
    if "&" in text:
        return
    # Taken apart: an accent behind a tag joins the letter before it once the tag is gone.
    letters = iter(unicodedata.normalize("NFD", text))
    assert all(letter in letters for letter in unicodedata.normalize("NFD", clean(text)) if letter.isalnum())


@settings(max_examples=300)
@given(TEXTS.filter(lambda text: not set("<&") & set(text)))
def test_without_markup_only_the_end_is_cut(text: str) -> None:
    whole = unicodedata.normalize("NFC", text)
    while "\r\n" in whole:
        whole = whole.replace("\r\n", "\n")
    cleaned = clean(text)
    assert whole.startswith(cleaned)
    assert cleaned.strip() or not whole.strip()


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=12))
def test_the_column_is_cleaned_like_each_text(texts: list[str]) -> None:
    column = pd.Series(texts, index=range(7, 7 + len(texts)), name="body", dtype="str")
    cleaned = clean_column(column)
    assert cleaned.tolist() == [clean(text) for text in texts]
    assert (cleaned.index.tolist(), cleaned.name, cleaned.dtype) == (
        column.index.tolist(),
        "body",
        column.dtype,
    )


HOSTILE = [
    *(
        "<",
        ">",
        " ",
        "\r",
        "\n",
        "&",
        "&amp;",
        "\n> ",
        "On ",
        "<p ",
        "<br>",
        "<!--",
        "-->",
        "<style>",
        "<a href=",
        "</a>",
        "<p>",
    ),
    *(
        "On 1 wrote:\n> ",
        "From: a\n",
        "From: a\nSent: 1\n",
        "\nSent from my iPhone",
        "\n-- \n",
        "_________\n",
        "<p><blockquote>",
    ),
    *(
        "&lt;p&gt;",
        "<pre>  ",
        "<br> ",
        "schrieb ",
        "On " + "1 " * 30 + "\n",
        "\u00a0",
        "<a\t",
        "a&nbsp;",
        "</p> <p>",
        "<div>\n",
    ),
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("frame", ["{}", "<p>word</p>{}", "word {} word"])
def test_hostile_text_takes_linear_time(unit: str, frame: str) -> None:
    assert grows_linearly(lambda size: clean(frame.format(unit * (size // len(unit)))), 200_000)


def test_document_text_joins_subject_and_body() -> None:
    subject = pd.Series(["Slow", "", " ", "Slow", "Slow", "", "Fwd: Slow", "Slow &amp; dear"], dtype="str")
    quoted = f"What now?\n\nOn 3 March 2026 Ann wrote:\n{QUOTE}"
    body = pd.Series(["Slow again", "body", "body", "", "<p></p>", " ", quoted, "<p>x</p>"], dtype="str")
    expected = [
        "Slow\nSlow again",
        "body",
        "body",
        "Slow",
        "Slow",
        " ",
        f"Fwd: Slow\n{quoted}",
        "Slow &amp; dear\nx",
    ]
    assert document_text(subject, body).tolist() == expected


def test_document_text_of_a_reply_that_only_quotes_keeps_the_quote() -> None:
    body = f"On 3 March 2026 Ann wrote:\n{QUOTE}"
    assert document_text(pd.Series(["Re: Slow"]), pd.Series([body])).tolist() == [f"Re: Slow\n{body}"]


def test_document_text_keeps_the_index_of_the_body() -> None:
    texts = document_text(
        pd.Series(["a", "", "c"], index=[1, 1, 2]), pd.Series(["x", "y", ""], index=[7, 7, 5])
    )
    assert (texts.tolist(), texts.index.tolist(), texts.name) == (["a\nx", "y", "c"], [7, 7, 5], None)


def test_document_text_of_nothing() -> None:
    empty = pd.Series([], dtype="str")
    assert document_text(empty, empty).tolist() == []
    assert clean_column(empty).dtype == "str"


@pytest.mark.parametrize(
    ("subject", "forward"),
    [
        ("Fwd: x", True),
        ("FW: x", True),
        ("Re: WG: x", True),
        ("TR : x", True),
        ("Re: x", False),
        ("Fwding x", False),
    ],
)
def test_forwards_are_known_by_their_subject(subject: str, forward: bool) -> None:
    assert is_forward(subject) is forward


AUTO = [
    ("Automatic reply: Invoice 5", "I am out of the office until Monday.", True),
    ("Re: Out of Office", "On annual leave, back on the 5th.", True),
    ("Abwesenheitsnotiz", "Ich bin im Urlaub und ab Montag wieder erreichbar.", True),
    ("Réponse automatique : facture", "Je suis en congés.", True),
    (
        "Undelivered Mail Returned to Sender",
        "This is the mail system. Your message could not be delivered.",
        True,
    ),
    ("Delivery Status Notification (Failure)", "Address not found. Your message wasn't delivered.", True),
    ("Automatic reply: Invoice 5", "", True),
    ("Automatic reply is broken", "Your automatic replies are sent twice to my customers.", False),
    ("Out of office rule", "How do I set one up for the whole team?", False),
    (
        "Automatic reply: Invoice 5",
        "Back on Monday, out of the office. " + "But the board crashes daily. " * 80,
        False,
    ),
    ("Undeliverable: our campaign", "Half of my newsletters never arrive, please help.", False),
    ("Invoice 5", "I am out of the office until Monday.", False),
    # A receipt says so in its body, whatever the subject.
    (
        "Re: Export",
        "We have received your request (#48213) and will get back to you within 24 hours.",
        True,
    ),
    (
        "",
        "Hi Anna,\n\nThank you for contacting us. Your ticket #44 has been created. Do not reply to this.",
        True,
    ),
    (
        "Invoice",
        "Your request (12345) has been received and is being reviewed by our support staff. "
        "To add additional comments, reply to this email.",
        True,
    ),
    ("", "Vielen Dank für Ihre Anfrage. Wir melden uns in Kürze.", True),
    ("Form", "We have received your request form, but its link is broken. Reply as soon as possible.", False),
    ("", "You say you have received my request. Please get back to me as soon as possible.", False),
    ("", "Your ticket was created for the wrong account, reply to me within two days.", False),
    ("", "Thanks for your message. The export is as slow as before. Get back to me shortly.", False),
    ("", "We have received your message.", False),
    ("", "", False),
]


@pytest.mark.parametrize(("subject", "text", "expected"), AUTO)
def test_auto_replies(subject: str, text: str, expected: bool) -> None:
    for body in (text, f"{subject}\n{text}"):
        mask = is_auto_reply(pd.Series([subject], index=[4]), pd.Series([body], index=[4]))
        assert (mask.tolist(), mask.index.tolist(), mask.dtype) == ([expected], [4], "bool")


MARKUP = st.sampled_from(
    [
        "<",
        "</",
        "<p>",
        "<ſ",
        "&",
        "&amp;",
        "&#39;",
        "&NBSP;",
        "&lt;",
        "\r\n",
        "\n",
        "\n-- ",
        "\nFrom: ",
        "a",
        " ",
        "é",
        "e\u0301",
    ]
)


@given(st.lists(st.lists(MARKUP, max_size=6).map("".join), max_size=5))
@settings(max_examples=300)
def test_a_column_is_cleaned_as_its_texts_are(texts: list[str]) -> None:
    assert clean_column(pd.Series(texts, dtype="str")).tolist() == [clean(text) for text in texts]


@pytest.mark.parametrize(
    ("subject", "body", "text"),
    [
        ("a", "b", "a\nb"),
        ("", "b", "b"),
        ("a", "", "a"),
        ("\u2003", "b", "b"),
        ("a", " \n\u00a0", "a"),
        (" ", "\u3000", "\u3000"),
        ("é", "日", "é\n日"),
    ],
)
def test_subject_and_body_become_one_text(subject: str, body: str, text: str) -> None:
    joined = document_text(pd.Series([subject], dtype="str"), pd.Series([body], dtype="str"))
    assert joined.tolist() == [text]
