"""Accounts and deals -> what each account is worth to us.

In: scored documents, table ACCOUNTS, the report's currency. Out: one amount per account and sentences
on what was left out. Never counts both the ARR and the deal of one account, never converts currencies.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

CUSTOMER: Final = "customer"
_CLOSED: Final = r"(?i)closed|won|lost|churned|dead|disqualified|onboard"


@dataclass(frozen=True)
class Revenue:
    """Amount per account; without any amount in the inputs, revenue is unknown everywhere."""

    amounts: pd.Series  # index: account key
    currency: str
    warnings: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether any amount was read."""
        return len(self.amounts) > 0

    def total(self, documents: pd.DataFrame, key: str) -> pd.Series:
        """Sum the amounts of the distinct accounts of each key; missing where nothing is known.

        Parameters
        ----------
        documents
            Columns `key` and `account`.
        """
        keys = pd.Index(sorted(documents[key].unique()), name=key, dtype="str")
        if not self.known:
            return pd.Series(np.nan, index=keys, dtype="float64")
        pairs = documents.assign(account=account_keys(documents["account"]))
        pairs = pairs[[key, "account"]].drop_duplicates().sort_values([key, "account"])
        worth = pairs["account"].map(self.amounts).fillna(0.0)
        return worth.groupby(pairs[key]).sum().reindex(keys, fill_value=0.0).round(2)


def account_keys(accounts: pd.Series) -> pd.Series:
    """Return the names as they are compared: any case, spaces made single."""
    return accounts.str.casefold().str.split().str.join(" ").astype("str").fillna("")


def is_open(stages: pd.Series) -> pd.Series:
    """Say which deal stages are still open: named, and not won, lost or churned."""
    return (stages != "") & ~stages.str.contains(_CLOSED, regex=True)


def revenue_of(documents: pd.DataFrame, accounts: pd.DataFrame, currency: str) -> Revenue:
    """Value each account: the ARR of a current customer, else the amount of its deal while that is open.

    Parameters
    ----------
    documents
        Columns account, amount, stage, created_at, document_id of table SCORED.
    accounts
        Table ACCOUNTS; may be empty. A row without currency is in `currency`; a row without lifecycle
        is a customer.
    currency
        The one currency that is summed up.
    """
    accounts = accounts.assign(key=account_keys(accounts["account"]))
    current = accounts["lifecycle"].str.casefold().isin(["", CUSTOMER])
    paying = accounts[current & (accounts["arr"] > 0) & (accounts["key"] != "")]
    foreign = (paying["currency"] != "") & (paying["currency"].str.upper() != currency.upper())
    arr = paying[~foreign].drop_duplicates("key").set_index("key")["arr"]
    deals = _open_deals(documents)
    deals = deals[~deals.index.isin(paying["key"])]
    amounts = pd.concat([arr, deals]).astype("float64").sort_index()
    warnings = _warnings(accounts, paying[foreign], currency)
    return Revenue(amounts, currency, (*warnings, *_nobody_pays(accounts, current)))


def _open_deals(documents: pd.DataFrame) -> pd.Series:
    """Return the amount of each account's deal as it was last noted, unless a later note closed it."""
    deals = documents.assign(key=account_keys(documents["account"]))
    # A row without a stage, such as a ticket, tells nothing of a deal.
    deals = deals[(deals["stage"] != "") & (deals["key"] != "")]
    deals = deals.assign(closed=~is_open(deals["stage"]))
    # Of one time, the note that closes the deal is the last: nothing is counted that may be lost.
    backwards = deals.sort_values(["created_at", "closed", "document_id"], na_position="first").iloc[::-1]
    ended = backwards.groupby("key")["closed"].cummax()
    amounts = backwards[~ended & (backwards["amount"] > 0)]
    return amounts.drop_duplicates("key").set_index("key")["amount"]


def _nobody_pays(accounts: pd.DataFrame, current: pd.Series) -> tuple[str, ...]:
    """Return a warning where `lifecycle` leaves out every ARR: the column may say customer in other words."""
    valued = accounts["arr"] > 0
    if not valued.any() or (valued & current).any():
        return ()
    found = ", ".join(repr(name) for name in sorted(set(accounts["lifecycle"][valued]))[:5])
    return (
        f"accounts: none of the {int(valued.sum())} row(s) with an arr has the lifecycle {CUSTOMER!r} "
        f"(found: {found}), so no arr counts; write {CUSTOMER!r} for who pays now, or leave lifecycle empty",
    )


def _warnings(accounts: pd.DataFrame, foreign: pd.DataFrame, currency: str) -> tuple[str, ...]:
    warnings = []
    if len(foreign):
        others = ", ".join(sorted(foreign["currency"].str.upper().unique()))
        warnings.append(
            f"revenue is in {currency}: the ARR of {len(foreign)} account(s) in {others} is left out"
        )
    repeated = int(accounts["key"].duplicated().sum())
    if repeated:
        warnings.append(f"accounts: {repeated} row(s) repeat an account; the first row of each counts")
    return tuple(warnings)
