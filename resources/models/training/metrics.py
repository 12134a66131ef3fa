"""Classification and segmentation metrics, with confidence intervals from a bootstrap over patients."""
import numpy as np
from scipy.stats import rankdata


def auc(labels, scores):
    """Area under the ROC curve as the Mann-Whitney statistic; ties count one half. Labels are 0 or 1."""
    labels = np.asarray(labels)
    positives = int((labels == 1).sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return float('nan')
    ranks = rankdata(scores)
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def sensitivity(labels, scores, threshold):
    """Share of the positives whose score reaches the threshold."""
    return float((np.asarray(scores)[np.asarray(labels) == 1] >= threshold).mean())


def specificity(labels, scores, threshold):
    """Share of the negatives whose score stays below the threshold."""
    return float((np.asarray(scores)[np.asarray(labels) == 0] < threshold).mean())


def expected_calibration_error(labels, scores, bins=10):
    """Mean |observed rate - mean score| over equal-width bins, weighted by how many cases fall into each."""
    return float(sum(row['n'] * abs(row['observed'] - row['predicted']) for row in reliability(labels, scores, bins)) / len(labels))


def reliability(labels, scores, bins=10):
    """Rows {low, high, n, predicted, observed} of the reliability table; empty bins are left out."""
    labels, scores = np.asarray(labels), np.asarray(scores)
    index = np.minimum((scores * bins).astype(int), bins - 1)
    rows = []
    for b in range(bins):
        inside = index == b
        if inside.any():
            rows.append({'low': b / bins, 'high': (b + 1) / bins, 'n': int(inside.sum()),
                         'predicted': float(scores[inside].mean()), 'observed': float(labels[inside].mean())})
    return rows


def bootstrap_interval(statistic, groups, repeats=2000, seed=20261121):
    """95 % percentile interval of `statistic(indices)` when whole patients (`groups`) are drawn with replacement."""
    random = np.random.default_rng(seed)
    _, inverse = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(inverse == g) for g in range(inverse.max() + 1)]
    values = []
    for _ in range(repeats):
        drawn = random.integers(0, len(members), len(members))
        value = statistic(np.concatenate([members[g] for g in drawn]))
        if np.isfinite(value):
            values.append(value)
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]


def with_interval(statistic, groups):
    """{value, ci95} of `statistic(indices)` over all cases."""
    return {'value': float(statistic(np.arange(len(groups)))), 'ci95': bootstrap_interval(statistic, groups)}


def dice(predicted, truth):
    """2|A and B| / (|A| + |B|) of two boolean arrays; 1 when both are empty."""
    total = int(predicted.sum()) + int(truth.sum())
    return 1.0 if total == 0 else float(2 * np.logical_and(predicted, truth).sum() / total)


def mean_with_interval(values, seed=20261121, repeats=2000):
    """{n, mean, median, ci95} of per-case values; the interval is a bootstrap over cases."""
    values = np.asarray(values, float)
    random = np.random.default_rng(seed)
    means = values[random.integers(0, len(values), (repeats, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {'n': len(values), 'mean': float(values.mean()), 'median': float(np.median(values)), 'ci95': [float(low), float(high)]}
