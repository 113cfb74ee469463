"""Where the tables of the paper come from, and what their files hold.

Counts are those of our recipes. For a file with a checksum they were recomputed from it; for the others they are what
others state (see `docs/tabular-data.md`), and a difference is noted, not refused.
"""

from dataclasses import dataclass, field
from typing import Literal

from saflex_cli.config.tabular import TableName

Published = Literal["appetency", "arrhythmia", "click", "credit", "qsar", "shrutime", "volkert"]
"""The rows of the paper's Table 5."""


@dataclass(frozen=True)
class Counts:
    """What a table holds."""

    rows: int
    continuous: int
    categorical: int
    positives: int | None
    """None where there are more than two classes."""

    @property
    def features(self) -> int:
        """Of both kinds."""
        return self.continuous + self.categorical

    def differences(self, other: "Counts") -> list[str]:
        """`rows: 10 rather than 12`, for each count of `other` that is not the one here."""
        names = ("rows", "features", "continuous", "categorical", "positives")
        pairs = ((name, getattr(other, name), getattr(self, name)) for name in names)
        return [f"{name}: {_shown(found)} rather than {_shown(own)}" for name, found, own in pairs if found != own]


@dataclass(frozen=True)
class TableFacts:
    """One table."""

    files: tuple[str, ...]
    """Names under the data root, of which the first that exists is read; more than one where formats differ."""
    counts: Counts
    row_of_table_5: Published | None
    """Whose counts the paper prints."""
    source: str
    """Where to fetch the file, for people."""
    sha256: str | None = None
    """Of the first file, as our numbers were made with; None where no such file was at hand."""
    md5: str | None = None
    """Of the same file, which a download must have."""
    url: str | None = None
    """Where `saflex data fetch` takes the first file from."""
    not_comparable: str | None = None
    """Why the paper's numbers in Table 2 must not stand beside ours."""
    remarks: tuple[str, ...] = field(default=())
    """What explains a difference to Table 5."""

    @property
    def target(self) -> str:
        """Where to put the file, under the data root."""
        return self.files[0]


_MIXED_UP = (
    "Table 5 describes kdd99_10pct under the name Appetency, and Table 2's numbers (0.49 and 0.79 AUROC) cannot come "
    "from it, where logistic regression on 500 rows reaches 0.98 or more"
)
_CREDIT = (
    "Table 5 describes credit card fraud, while Table 2's numbers (67 to 80) lie where those of credit-g do; the paper "
    "does not say which set they are for"
)
_UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases"

FACTS: dict[TableName, TableFacts] = {
    "qsar": TableFacts(
        files=("tabular/qsar/biodeg.csv",),
        counts=Counts(rows=1_055, continuous=41, categorical=0, positives=356),
        row_of_table_5="qsar",
        source="https://archive.ics.uci.edu/dataset/254/qsar+biodegradation",
        url=f"{_UCI}/00254/biodeg.csv",
        sha256="c66ac1a23aba11fb166fd5054fea14ac97b8e4f7e4940ae679dc863d1cc4b3c9",
        md5="fd8262983776f6259f1025eec7c1d90f",
    ),
    "arrhythmia": TableFacts(
        files=("tabular/arrhythmia/arrhythmia.mat",),
        counts=Counts(rows=452, continuous=226, categorical=0, positives=66),
        row_of_table_5="arrhythmia",
        source="http://odds.cs.stonybrook.edu/arrhythmia-dataset/, or data/arrhythmia.mat in github.com/yzhao062/pyod",
        url="https://raw.githubusercontent.com/yzhao062/pyod/1938f1c58ba7948359b098ab358b7ee920825282/data/arrhythmia.mat",
        sha256="e4d47e499591ae31e5d7f0cd983367092353eac240f48e14c9b36457edb3460d",
        md5="893af2390d459d18ad06b6fafc2a9b6b",
    ),
    "shrutime": TableFacts(
        files=("tabular/shrutime/Churn_Modelling.csv",),
        counts=Counts(rows=10_000, continuous=8, categorical=3, positives=2_037),
        row_of_table_5="shrutime",
        source="https://www.kaggle.com/shrutimechlearn/churn-modelling (needs a login)",
        sha256="ee2a5c9d8daf3aed0d91c4d883a84ebb77d271447bebc0f0c80aafb0f288ceab",
    ),
    "click": TableFacts(
        files=("tabular/click/Click_prediction_small.csv",),
        counts=Counts(rows=39_948, continuous=5, categorical=6, positives=6_728),
        row_of_table_5="click",
        source="https://www.openml.org/d/42733 (Click_prediction_small with 39,948 rows), saved as CSV",
        sha256="af2b6acc196de0dcbdb97d3c305fa2c29fa01cbdb3b7ff347d5f13cc13e299ab",
        remarks=("Table 5 counts the label `click` as a seventh categorical feature",),
    ),
    "kdd99_10pct": TableFacts(
        files=("tabular/kddcup99_10pct/kddcup.data_10_percent.gz", "tabular/kddcup99_10pct/kddcup.data_10_percent"),
        counts=Counts(rows=494_021, continuous=36, categorical=3, positives=97_278),
        row_of_table_5="appetency",
        source="http://kdd.ics.uci.edu/databases/kddcup99, or what scikit-learn's fetch_kddcup99 fetches",
        url="https://ndownloader.figshare.com/files/5976042",
        sha256="8045aca0d84e70e622d1148d7df782496f6333bf6eb979a1b0837c42a9fd9561",
        md5="c421989ff187d340c1265ac3080a3229",
        not_comparable=_MIXED_UP,
        remarks=("Table 5 calls this file Appetency; the file of that name is kddcup09_appetency",),
    ),
    "kddcup09_appetency": TableFacts(
        files=(
            "tabular/kddcup09/KDDCup09_appetency.arff",
            "tabular/kddcup09/KDDCup09_appetency.csv",
        ),
        counts=Counts(rows=50_000, continuous=174, categorical=38, positives=890),
        row_of_table_5=None,
        source="https://www.openml.org/d/1111, as ARFF or saved as CSV",
        not_comparable=f"{_MIXED_UP}; this set fits them, but the paper does not name it",
    ),
    "creditcard": TableFacts(
        files=("tabular/creditcard/creditcard.csv",),
        counts=Counts(rows=284_807, continuous=29, categorical=0, positives=492),
        row_of_table_5="credit",
        source="https://www.kaggle.com/mlg-ulb/creditcardfraud (needs a login)",
        not_comparable=_CREDIT,
    ),
    "credit_g": TableFacts(
        files=("tabular/credit_g/credit-g.arff",),
        counts=Counts(rows=1_000, continuous=7, categorical=13, positives=300),
        row_of_table_5=None,
        source="https://www.openml.org/d/31, as ARFF",
        not_comparable=_CREDIT,
    ),
    "volkert": TableFacts(
        files=("tabular/volkert/volkert.arff", "tabular/volkert/volkert_train.data"),
        counts=Counts(rows=58_310, continuous=147, categorical=0, positives=None),
        row_of_table_5="volkert",
        source="https://www.openml.org/d/41166 as ARFF, or volkert_train.data with volkert_train.solution beside it "
        "from http://automl.chalearn.org/data",
    ),
}


def _shown(count: int | None) -> str:
    return "none" if count is None else f"{count:,}"
