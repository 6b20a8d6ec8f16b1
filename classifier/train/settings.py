"""How a model is fitted.

In: nothing. Out: one frozen dataclass.
"""

from dataclasses import dataclass, field

from classifier.features import FeatureSettings


@dataclass(frozen=True)
class TrainingSettings:
    """How the model is fitted; the defaults were chosen on validation folds of the training data.

    `document_c`, `unit_c`, `source_c` are inverse regularisation strengths; an n-gram is known when
    it occurs in `min_documents`; `too_close` is the share of validation documents per label that are
    marked as too close to call.
    """

    features: FeatureSettings = field(
        default_factory=lambda: FeatureSettings(bits=20, words=2, char_max=0, per_known=True)
    )
    document_c: float = 32.0
    unit_c: float = 16.0
    source_c: float = 8.0
    min_documents: int = 2
    folds: int = 5
    too_close: float = 0.04
    seed: int = 0
