"""What tests of ranking and backlogs share: the tables beside the feedback, backlogs, measured spans."""

from datetime import UTC, datetime

import pandas as pd
from test_link import CAPABILITIES, CLAIMS, OBJECTIVES, table
from themes_samples import shop

from classifier import (
    backlogs,
    schema,
    settings,
)
from classifier.factors import documents_of, measure
from classifier.labels import LABELS
from classifier.revenue import Revenue

AS_OF = datetime(2026, 3, 31, tzinfo=UTC)
_GIVEN = ("account", "segment", "industry", "arr", "lifecycle", "currency")
ACCOUNTS = table(
    {name: schema.ACCOUNTS[name] for name in _GIVEN},
    [
        ("Account 0", "smb", "hvac", 1000.0, "customer", "EUR"),
        ("account  1", "smb", "hvac", 5000.0, "customer", ""),
        ("Account 2", "smb", "hvac", 700.0, "customer", "USD"),
        ("Account 3", "smb", "hvac", 900.0, "churned", "EUR"),
    ],
).assign(renewal_at=pd.NaT, domain="")
CHOSEN = settings.parse(
    {
        "themes": {"area_column": "tags"},
        "areas": {"integrations": ["QuickBooks"], "scheduling": ["dispatch board"], "mobile": ["offline"]},
        "departments": {"Billing": ["integrations"], "Field": ["scheduling", "mobile"]},
        "competitors": {"Servanto": []},
        "report": {"currency": "EUR"},
    },
    origin="test",
)
REFERENCES = {"claims": CLAIMS, "capabilities": CAPABILITIES, "accounts": ACCOUNTS, "objectives": OBJECTIVES}
NOTHING = Revenue(pd.Series(dtype="float64"), "EUR")


def built(scored=None, references=REFERENCES, chosen=CHOSEN, **options):
    scored = shop() if scored is None else scored
    return backlogs.build(scored, settings=chosen, references=references, as_of=AS_OF, **options)


def measured(rows, revenue=NOTHING):
    columns = ["key", "document_id", "account", "created_at", "label", "score", "churn_risk", "impact"]
    spans = pd.DataFrame(rows, columns=columns)
    spans["created_at"] = pd.to_datetime(spans["created_at"], utc=True)
    keys = pd.Index(sorted(spans["key"].unique()), name="key")
    trend = pd.DataFrame({"trend": 0.0, "trend_low": -0.1, "trend_high": 0.1}, index=keys)
    return measure(documents_of(spans, "key"), "key", trend, revenue, as_of=AS_OF, half_life_days=30)


def mention(key, document, account="", *, age=0, label=LABELS[0], score=1.0, churn=False, impact=""):
    return (key, document, account, pd.Timestamp(AS_OF) - pd.Timedelta(days=age), label, score, churn, impact)
