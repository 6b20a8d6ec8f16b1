"""What mail systems put around a message, and quotes that lost their marks."""

import pandas as pd
import pytest

from classifier.clean import clean, clean_column

DISCLAIMER = (
    "This email and any files transmitted with it are confidential and intended solely for the use of the\n"
    "individual to whom they are addressed. If you have received this email in error please notify us."
)
RECIPIENT = (
    "NOTICE: If you are not the intended recipient of this message, any disclosure of it is prohibited."
)
CAUTION = (
    "CAUTION: This email originated from outside of the organization. Do not click links or open attachments "
    "unless you recognize the sender and know the content is safe."
)
ATTRIBUTION = "On Mon, Mar 2, 2026 at 10:55 PM Agent <help@acme.example> wrote:"


@pytest.mark.parametrize(
    "text",
    [
        f"It fails again.\n\n{DISCLAIMER}",
        f"It fails again.\n\n{DISCLAIMER}\n\n{RECIPIENT}\n\nPlease consider the environment before printing.",
        f"{CAUTION}\n\nIt fails again.",
        f"[EXTERNAL EMAIL]\n{CAUTION}\nIt fails again.",
        "EXTERNAL SENDER: Please be careful with links.\n\nIt fails again.",
        "This message came from outside your company. Verify the sender!\nIt fails again.",
        f"<p>{CAUTION}</p><p>It fails again.</p><p>{DISCLAIMER}</p>",
        "It fails again.\n\n##- Please type your reply above this line -##\nYour request was updated.",
        f"It fails again.\n\n{ATTRIBUTION}\n\nPlease restart.\nThanks, Agent",
        "It fails again.\n\nOn Mon, Mar 2, 2026 at 10:55 PM A very long name of an agent\n"
        "<help@acme.example> wrote:\nPlease restart.",
        f"It fails again.\n\n{DISCLAIMER}\n\n{ATTRIBUTION}\n> Please restart.",
    ],
)
def test_what_systems_add_goes(text: str) -> None:
    assert clean(text) == "It fails again."
    assert clean_column(pd.Series([text, "plain"])).tolist() == ["It fails again.", "plain"]


@pytest.mark.parametrize(
    "text",
    [
        "This message contains confidential data of ours.\nWhy does your app send it to everyone?",
        "It fails.\n\nThis email says that the plan is intended for small teams, but sales said otherwise.",
        "External sender\nWe need a way to mark them.",
        "This email originated from outside our company and crashed the parser, every time that it is opened",
        "Caution: do not update!\nIt crashes.",
        f"{CAUTION} Hi team, it fails again.\nPlease help.",
        DISCLAIMER,
        CAUTION,
        "##- Please type your reply above this line -##\n\nYou've been added to request 7.",
        f"Hi,\n\n{ATTRIBUTION}\nDid you restart?\nYes, twice.",
        "On 3 March 2026 at 10:55 Tom of sales wrote:\n> SSO is in every plan.\nIt isn't.",
        f"Their answer is quoted:\n{ATTRIBUTION}\n> SSO is in every plan.\nIt isn't.",
        "It fails again.\n\nOn Monday at 10:55 your agent wrote:\nPlease restart.\nThat did not help.",
        f"Please see below.\n\n{ATTRIBUTION}\n\nIt fails again.",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert clean(text) == text
    assert clean_column(pd.Series([text])).tolist() == [text]


def test_long_lines_of_warnings_take_no_time() -> None:
    assert clean("do not " * 50_000 + "external\nx").endswith("x")
    assert clean("EXTERNAL" + " do not" * 90 + ".\nx").endswith("x")
    assert clean("-" * 500_000 + " above this line external\nx").endswith("x")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"{ATTRIBUTION}\n> Please restart.\n\nI did, it fails again.", "I did, it fails again."),
        (
            f"Hi,\n\n{ATTRIBUTION}\n> Did you restart?\nYes, twice.\n\n> Which version?\n\n4.2 it is.",
            "Hi,\n\nYes, twice.\n\n4.2 it is.",
        ),
        (
            f"It fails again.\n\n{ATTRIBUTION}\n> Please restart.\n\nJane Roe\nCorp Ltd",
            "It fails again.\n\nJane Roe\nCorp Ltd",
        ),
        (
            "<div>On Mon, Mar 2, 2026 at 10:55 PM Agent &lt;<a href='mailto:h@a.example'>h@a.example</a>"
            "&gt; wrote:</div><blockquote>Please restart.</blockquote><div>I did.</div>",
            "I did.",
        ),
    ],
)
def test_quoted_mail_above_and_between_the_lines_of_a_reply_goes(text: str, own: str) -> None:
    assert clean(text) == own
    assert clean(own) == own
    assert clean("Fwd: mail\n" + text) != "Fwd: mail\n" + own
