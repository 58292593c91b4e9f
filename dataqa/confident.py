"""Labels and texts that do not fit the rest of their set, by word counts and logistic regression.

Confident learning (Northcutt, Jiang and Chuang 2021): each row is judged by a model that did not see it, one of
five trained on the other four fifths. A label is doubted where the model gives another class at least the mean
probability that it gives that class's own rows, and 0.7 or more. Needs scikit-learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunegate.core.extras import need

FOLDS = 5
_WORD = r"(?u)\b\w+\b"  # one letter is a word too

# A class of fewer rows cannot stand in each fold.
MIN_ROWS = FOLDS

# So likely must the other label be. On sets that are hard to learn the mean probabilities are low, and a tenth of
# all labels would be doubted; on banking77, snips and SMS spam with 3 % of noise it costs no recall.
MIN_PROBABILITY = 0.7

# Texts at the edge: among all but so few, and less like their neighbours than half of the middle distance.
NEIGHBOURS = 10
OUTLIERS = 0.005
MIN_TEXTS = 50

# Each text is compared with so many others, evenly taken: all pairs of a large set would take hours.
MAX_COMPARED = 10_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label that is likely wrong: its place, the likelier label, and the probability of both."""

    place: int
    likelier: str
    probability: float
    own: float


def _features(texts: Sequence[str]) -> Any:
    """Return the TF-IDF features of texts: words and pairs of words, and runs of three or four characters."""
    from importlib import import_module

    vectorizer = need("sklearn.feature_extraction.text", "data").TfidfVectorizer
    import numpy as np

    words = vectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=_WORD, dtype=np.float32)
    signs = vectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, min_df=3, dtype=np.float32)
    parts = []
    for each in (words, signs):
        try:
            parts.append(each.fit_transform(texts))
        except ValueError:  # an empty vocabulary
            continue
    return import_module("scipy.sparse").hstack(parts, format="csr") if parts else None


def doubts(texts: Sequence[str], labels: Sequence[str]) -> list[Doubt]:
    """Return the labels that are likely wrong, in the order of the texts.

    Classes of fewer than five rows take no part. Raises MissingExtraError without scikit-learn.
    """
    selection = need("sklearn.model_selection", "data")
    counts = Counter(labels)
    places = [place for place, label in enumerate(labels) if counts[label] >= MIN_ROWS]
    names = sorted({labels[place] for place in places})
    if len(names) < 2:
        return []
    features = _features([texts[place] for place in places])
    if features is None:
        return []
    import numpy as np

    given = np.array([names.index(labels[place]) for place in places])
    model = need("sklearn.linear_model", "data").LogisticRegression(C=10.0, max_iter=200, tol=1e-3)
    folds = selection.StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    chances = selection.cross_val_predict(model, features, given, cv=folds, method="predict_proba")
    own = chances[np.arange(len(given)), given]
    bars = np.array([own[given == number].mean() for number in range(len(names))])
    others = np.where(chances >= bars, chances, -1.0)
    others[np.arange(len(given)), given] = -1.0
    likelier = others.argmax(axis=1)
    best = others[np.arange(len(given)), likelier]
    return [
        Doubt(places[row], names[likelier[row]], float(best[row]), float(own[row]))
        for row in np.flatnonzero(best >= MIN_PROBABILITY).tolist()
    ]


def outliers(texts: Sequence[str]) -> list[tuple[int, float]]:
    """Return the texts least like any other, each with its mean likeness to its ten nearest, least like first.

    At most one in two hundred, and only those whose likeness is below a quarter of the median. Raises
    MissingExtraError without scikit-learn.
    """
    neighbours = need("sklearn.neighbors", "data").NearestNeighbors
    if len(texts) < MIN_TEXTS:
        return []
    features = _features(texts)
    if features is None:
        return []
    import numpy as np

    step = -(-len(texts) // MAX_COMPARED)
    search = neighbours(n_neighbors=min(NEIGHBOURS + 1, len(texts) // step), metric="cosine", algorithm="brute")
    distances = search.fit(features[::step]).kneighbors(features)[0]
    # a text that is compared with itself is nearest to itself
    distances[::step, :-1] = distances[::step, 1:]
    likeness = 1 - distances[:, :-1].mean(axis=1)
    order = np.argsort(likeness, kind="stable")[: max(int(OUTLIERS * len(texts)), 1)]
    bar = np.median(likeness) / 4
    return [(int(place), float(likeness[place])) for place in order if likeness[place] < bar]
