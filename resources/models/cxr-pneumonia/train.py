#!/usr/bin/env python3
"""Trains and packages `cxr-pneumonia`: pneumonia against normal on paediatric frontal chest radiographs.

    /usr/bin/python3 resources/models/cxr-pneumonia/train.py --data ../shared

CPU only, seeded. Writes model.onnx, golden tensors, metrics.json, card.md and manifest.json into this folder (or --out).
The weights are those of the last epoch, averaged over the training's end; validation only sets the calibration and the
threshold, and the test split is read once, after both.
"""
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
import card
import images
from network import RadiographNetwork
from training import bundle, metrics

# Mean and spread of the training images' grey; the manifest's display-zscore says the same.
MEAN, STD = 0.482, 0.236
SENSITIVITY_TARGET = 0.95


def normalised(batch):
    return (batch - MEAN) / STD


def train(split, epochs, batch_size=32, peak_rate=3e-3):
    """The network after `epochs`, its weights an exponential average over roughly the last epoch."""
    network = RadiographNetwork()
    average = copy.deepcopy(network)
    labels = torch.from_numpy(split['labels']).float()
    positive_weight = (labels == 0).sum() / (labels == 1).sum()
    optimiser = torch.optim.AdamW(network.parameters(), lr=peak_rate, weight_decay=0.02)
    steps = epochs * (len(labels) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak_rate, total_steps=steps, pct_start=0.2)
    step, started = 0, time.time()
    for epoch in range(epochs):
        network.train()
        losses = []
        order = torch.randperm(len(labels))
        for begin in range(0, len(order) - batch_size + 1, batch_size):
            chosen = order[begin:begin + batch_size].numpy()
            batch = normalised(images.augment(images.as_batch(split['images'][chosen])))
            # Smoothed towards one half: labels are one file-level reading, and some are wrong.
            target = labels[chosen] * 0.94 + 0.03
            loss = F.binary_cross_entropy_with_logits(network.logit(batch)[:, 0], target, reduction='none')
            loss = (loss * torch.where(labels[chosen] == 1, positive_weight, torch.ones(()))).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            step += 1
            decay = min(0.99, step / (step + 20))
            with torch.no_grad():
                for mine, theirs in zip(average.state_dict().values(), network.state_dict().values()):
                    mine.lerp_(theirs, 1 - decay) if mine.is_floating_point() else mine.copy_(theirs)
            losses.append(float(loss))
        print(f'epoch {epoch + 1}/{epochs} loss {np.mean(losses):.4f} {time.time() - started:.0f} s', flush=True)
    return average.eval()


def scores(network, split, alter=None, batch_size=64):
    """Probabilities of a split, each image first changed by `alter(batch, labels)`."""
    found = []
    with torch.no_grad():
        for begin in range(0, len(split['labels']), batch_size):
            batch = images.as_batch(split['images'][begin:begin + batch_size])
            if alter:
                batch = alter(batch, split['labels'][begin:begin + batch_size])
            found.append(network(normalised(batch))[:, 0])
    return torch.cat(found).double().numpy()


def calibrate(network, split):
    """Platt scaling on validation: logit' = a * logit + b, folded into the network. Returns (a, b).

    The classes weigh the same, so a probability means "at even odds beforehand", not at the set's 74 % pneumonia.
    """
    from sklearn.linear_model import LogisticRegression
    p = np.clip(scores(network, split), 1e-6, 1 - 1e-6)
    fit = LogisticRegression(C=10, class_weight='balanced').fit(np.log(p / (1 - p))[:, None], split['labels'])
    scale, offset = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    network.calibrate(scale, offset)
    return scale, offset


def threshold_for_sensitivity(labels, probabilities, target):
    """The highest threshold, rounded down to 3 digits, at which validation sensitivity still reaches `target`."""
    positives = np.sort(probabilities[labels == 1])
    return math.floor(positives[int(math.floor(len(positives) * (1 - target)))] * 1000) / 1000


def operating_point(labels, p, groups, threshold):
    """AUC, sensitivity, specificity with patient-bootstrap intervals, and calibration."""
    return {
        'images': len(labels), 'pneumonia': int((labels == 1).sum()), 'normal': int((labels == 0).sum()),
        'patients': len(set(groups)),
        'auc': metrics.with_interval(lambda i: metrics.auc(labels[i], p[i]), groups),
        'sensitivity': metrics.with_interval(lambda i: metrics.sensitivity(labels[i], p[i], threshold), groups),
        'specificity': metrics.with_interval(lambda i: metrics.specificity(labels[i], p[i], threshold), groups),
        'ece': metrics.expected_calibration_error(labels, p),
    }


def linear_probe(train_split, test_split, mask):
    """AUC of a logistic regression on 28x28 thumbnails of what `mask` keeps: how much a linear reader finds there."""
    from sklearn.linear_model import LogisticRegression

    def features(split):
        batch = images.as_batch(split['images'])
        batch = batch - batch.mean(dim=(2, 3), keepdim=True)
        return F.avg_pool2d(batch * mask, 8).flatten(1).numpy()

    fit = LogisticRegression(C=0.01, max_iter=500, class_weight='balanced').fit(features(train_split), train_split['labels'])
    return metrics.auc(test_split['labels'], fit.decision_function(features(test_split)))


def measure(network, splits, threshold):
    """Everything the card reports."""
    test, val = splits['test'], splits['val']
    labels, groups = test['labels'], test['groups']
    p = scores(network, test)
    strict = test['strict']
    report = {
        'threshold': threshold,
        'validation': operating_point(val['labels'], scores(network, val), val['groups'], threshold),
        'test': operating_point(labels, p, groups, threshold),
        'test_strict': operating_point(labels[strict], p[strict], groups[strict], threshold),
        'reliability': metrics.reliability(labels, p),
    }

    def altered(alter):
        q = scores(network, test, alter)
        return {'auc': metrics.with_interval(lambda i: metrics.auc(labels[i], q[i]), groups),
                'sensitivity': metrics.sensitivity(labels, q, threshold),
                'specificity': metrics.specificity(labels, q, threshold)}

    report['stress'] = {name: altered(alter) for name, alter in {
        'outer 12 % painted over': images.without_border,
        'corner squares (25 %) painted over': images.without_corners,
        'random stretch up to 1.25': images.random_stretch,
        "each class given the other's median stretch (adversarial)": images.aspect_swapped,
        'middle 85 % magnified': images.zoomed,
        'mirrored': images.mirrored,
        'random tone curve (exponent 0.67-1.5)': images.gamma_changed,
    }.items()}
    report['probe'] = {name: altered(alter) for name, alter in {
        'lung fields painted over (middle 70 x 75 %)': images.without_lungs,
        'only the outer 12 % kept': images.border_only,
    }.items()}
    everything = torch.ones(1, 1, images.SIZE, images.SIZE)
    report['baseline'] = {
        'aspect_ratio_of_native_files_auc': 0.875,
        'linear_on_whole_thumbnail_auc': linear_probe(splits['train'], test, everything),
        'linear_on_outer_12_percent_auc': linear_probe(splits['train'], test, images.border_mask(0.12)),
    }
    return report


def manifest(threshold):
    return {
        'manifestVersion': 1, 'id': 'cxr-pneumonia', 'version': '1.0.0',
        'title': 'Chest radiograph: pneumonia (paediatric, research)',
        'summary': 'Probability of pneumonia on a frontal chest radiograph; trained on children aged 1 to 5 from one hospital.',
        'task': 'classification', 'dimensions': 2,
        'inputs': [{
            'name': 'image', 'modalities': ['CR', 'DX'], 'unit': 'display', 'channels': 1, 'spacingMm': None, 'orientation': 'image',
            'intensity': {'kind': 'display-zscore', 'mean': MEAN, 'std': STD},
            'size': {'width': images.SIZE, 'height': images.SIZE, 'fit': 'squeeze'}, 'tiling': None}],
        'outputs': [{
            'name': 'pneumonia', 'activation': 'probability', 'threshold': threshold, 'frame': 'image',
            'labels': [{'value': 1, 'name': 'Pneumonia', 'colorRgb': [230, 120, 60], 'category': ['64572001', 'SCT', 'Disease'],
                        'type': ['233604007', 'SCT', 'Pneumonia']}]}],
        'goldenCase': {'input': 'golden-input.bin', 'inputShape': [1, 1, images.SIZE, images.SIZE], 'output': 'golden-output.bin',
                       'outputShape': [1, 1], 'tolerance': {'absolute': 2e-3, 'relative': 0}},
        # A patient of another age, or another part of the body, is warned about; a lateral view is left out.
        'scope': {'ageYears': {'min': 1, 'max': 5}, 'viewPositions': ['PA', 'AP'], 'bodyParts': ['CHEST', 'THORAX', 'LUNG']},
        'licence': 'CC-BY-4.0 (trained on Kermany et al., Cell 2018, CC BY 4.0)',
        'intendedUse': 'Research and demonstration only. Not a medical device; not for diagnosis, triage or exclusion of pneumonia.',
    }


def main():
    options = bundle.arguments(__doc__.splitlines()[0], epochs=(20, 'passes over the training images'),
                               out=(str(HERE), 'folder that receives the package'),
                               card_only=(False, 'only rewrite card.md and manifest.json from metrics.json'))
    if options.card_only:
        report = json.loads((Path(options.out) / 'metrics.json').read_text())
        return describe(report, Path(options.out))
    folder = options.data / 'ml' / 'kermany-cxr-224'
    if not (folder / 'splits.tsv').exists():
        sys.exit(f'{folder} has no splits.tsv: give the data folder with --data or ALCOVE_SHARED')
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    splits = images.load(folder)
    started = time.time()
    network = train(splits['train'], options.epochs)
    minutes = (time.time() - started) / 60
    scale, offset = calibrate(network, splits['val'])
    threshold = threshold_for_sensitivity(splits['val']['labels'], scores(network, splits['val']), SENSITIVITY_TARGET)
    report = measure(network, splits, threshold)
    report['training'] = {'epochs': options.epochs, 'minutes': minutes, 'seed': options.seed, 'images': len(splits['train']['labels']),
                          'parameters': sum(p.numel() for p in network.parameters()), 'calibration_scale': scale,
                          'calibration_offset': offset, 'sensitivity_target': SENSITIVITY_TARGET}
    package(network, report, out)


def golden_case(network):
    """The synthetic radiograph whose opacity brings the probability nearest to one half, where a wrong provider shows most."""
    with torch.no_grad():
        drawings = [normalised(images.synthetic_radiograph(opacity)) for opacity in np.linspace(0, 1, 21)]
        return min(drawings, key=lambda drawing: abs(float(network(drawing)) - 0.5))


def package(network, report, out):
    golden = golden_case(network)
    operators = bundle.export_onnx(network, golden, out / 'model.onnx', 'image', 'pneumonia')
    with torch.no_grad():
        expected = network(golden)
    bundle.write_tensor(out / 'golden-input.bin', golden)
    bundle.write_tensor(out / 'golden-output.bin', expected)
    report['training']['operators'] = operators
    report['training']['golden_output'] = float(expected)
    report['training']['onnx_bytes'] = (out / 'model.onnx').stat().st_size
    report = bundle.rounded(report)
    bundle.write_json(out / 'metrics.json', report)
    describe(report, out)


def describe(report, out):
    """card.md and manifest.json, whose figures and digests come from the other files."""
    (out / 'card.md').write_text(card.text(report))
    bundle.write_manifest(out, manifest(report['threshold']))
    print(card.figures(report))


if __name__ == '__main__':
    main()
