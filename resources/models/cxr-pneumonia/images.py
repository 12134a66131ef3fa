"""Radiographs of the Kermany set: loading, shortcut-breaking augmentation, and the altered images of the stress tests.

Batches are float tensors [N, 1, 224, 224], 0-1 display grey.
"""
import csv
import math

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

SIZE = 224


def load(folder):
    """{split: {'images': uint8 [N, 224, 224], 'labels', 'groups', 'strict'}} by the patient-wise suggested split."""
    with open(folder / 'splits.tsv', newline='') as file:
        rows = list(csv.DictReader(file, delimiter='\t'))
    splits = {}
    for split in ('train', 'val', 'test'):
        chosen = [row for row in rows if row['suggested_split'] == split]
        splits[split] = {
            'images': np.stack([np.asarray(Image.open(folder / row['file']).convert('L')) for row in chosen]),
            'labels': np.array([int(row['label']) for row in chosen]),
            'groups': np.array([row['group'] for row in chosen]),
            # PNEUMONIA whose person number does not occur in the training set under any subtype; NORMAL are always apart.
            'strict': np.array([row['person_number_also_in_train'] != '1' for row in chosen]),
        }
    groups = [set(split['groups']) for split in splits.values()]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2]), 'a patient is in two splits'
    return splits


def as_batch(images):
    """uint8 [N, 224, 224] to float [N, 1, 224, 224], 0-1."""
    return torch.from_numpy(np.ascontiguousarray(images)).float().div(255).unsqueeze(1)


def warp(batch, scale_x, scale_y, angle=None, shift_x=None, shift_y=None, padding='border'):
    """Samples each image at centre + R(angle) * (scale_x * x, scale_y * y) + shift; scales below 1 magnify."""
    n = len(batch)
    zero = torch.zeros(n)
    angle = zero if angle is None else angle
    cos, sin = torch.cos(angle), torch.sin(angle)
    matrix = torch.stack([
        torch.stack([scale_x * cos, -scale_y * sin, zero if shift_x is None else shift_x], 1),
        torch.stack([scale_x * sin, scale_y * cos, zero if shift_y is None else shift_y], 1)], 1)
    return F.grid_sample(batch, F.affine_grid(matrix, batch.shape, align_corners=False), padding_mode=padding, align_corners=False)


def uniform(n, low, high):
    return torch.rand(n) * (high - low) + low


def augment(batch):
    """Random variants in which aspect ratio, border, corners and exposure no longer tell the class.

    The squeeze to 224x224 turned the files' aspect ratio (median width/height 1.21 normal, 1.50 pneumonia) into
    anatomical stretch of a factor 1.24; the random stretch here spans 1 : 1.42 either way. Side markers and devices
    sit near the border and in the corners, which are cut off or painted over; mirroring removes what is left of sides.
    """
    n = len(batch)
    zoom = torch.exp(uniform(n, -0.35, 0.08))
    stretch = torch.exp(uniform(n, -0.35, 0.35) / 2)
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    out = warp(batch, zoom * stretch * mirror, zoom / stretch, uniform(n, -0.14, 0.14), uniform(n, -0.1, 0.1),
               uniform(n, -0.1, 0.1), 'border' if torch.rand(()) < 0.5 else 'zeros')
    gamma = torch.exp(uniform(n, -0.45, 0.45)).view(-1, 1, 1, 1)
    gain, offset = uniform(n, 0.7, 1.3).view(-1, 1, 1, 1), uniform(n, -0.15, 0.15).view(-1, 1, 1, 1)
    out = (out.clamp(1e-4, 1) ** gamma * gain + offset).clamp(0, 1)
    # Blur and noise, whose amount differs between devices.
    if torch.rand(()) < 0.3:
        out = F.avg_pool2d(F.pad(out, (1, 1, 1, 1), 'replicate'), 3, 1)
    out = out + torch.randn_like(out) * uniform(n, 0, 0.03).view(-1, 1, 1, 1)
    for image in out:
        grey = float(image.mean()) if torch.rand(()) < 0.5 else float(torch.rand(()))
        if torch.rand(()) < 0.5:
            left, right, top, bottom = (int(v) for v in torch.randint(0, 36, (4,)))
            kept = image[:, top:SIZE - bottom, left:SIZE - right].clone()
            image.fill_(grey)
            image[:, top:SIZE - bottom, left:SIZE - right] = kept
        if torch.rand(()) < 0.5:
            for _ in range(2):
                h, w = (int(v) for v in torch.randint(16, 64, (2,)))
                y, x = (0 if torch.rand(()) < 0.5 else SIZE - h), (0 if torch.rand(()) < 0.5 else SIZE - w)
                image[:, y:y + h, x:x + w] = grey
    return out


def _fill(batch):
    return batch.mean(dim=(2, 3), keepdim=True)


def border_mask(share):
    """1 on the frame that is `share` of the side wide, 0 inside."""
    width = round(SIZE * share)
    mask = torch.ones(1, 1, SIZE, SIZE)
    mask[:, :, width:SIZE - width, width:SIZE - width] = 0
    return mask


def without_border(batch, labels, share=0.12):
    """The frame painted with the image's mean grey."""
    mask = border_mask(share)
    return batch * (1 - mask) + _fill(batch) * mask


def border_only(batch, labels, share=0.12):
    """Only the frame kept: nothing of the lungs but their rims."""
    mask = border_mask(share)
    return batch * mask + _fill(batch) * (1 - mask)


def without_corners(batch, labels, share=0.25):
    """The four corner squares, where side markers sit, painted with the mean grey."""
    side = round(SIZE * share)
    mask = torch.zeros(1, 1, SIZE, SIZE)
    for y in (slice(0, side), slice(SIZE - side, SIZE)):
        for x in (slice(0, side), slice(SIZE - side, SIZE)):
            mask[:, :, y, x] = 1
    return batch * (1 - mask) + _fill(batch) * mask


def without_lungs(batch, labels):
    """The middle (70 % wide, 75 % high), which holds the lung fields, painted with the mean grey."""
    out = batch.clone()
    out[:, :, round(SIZE * 0.1):round(SIZE * 0.85), round(SIZE * 0.15):round(SIZE * 0.85)] = _fill(batch)
    return out


def random_stretch(batch, labels, limit=0.22, seed=7):
    """Each image stretched by a random factor up to 1.25 along one axis, by magnifying (nothing new enters)."""
    random = torch.Generator().manual_seed(seed)
    s = torch.exp((torch.rand(len(batch), generator=random) * 2 - 1) * limit)
    return warp(batch, s.clamp(max=1), (1 / s).clamp(max=1))


def aspect_swapped(batch, labels, factor=1.5 / 1.21):
    """Adversarial: each class is given the median anatomical stretch of the other, by magnifying one axis."""
    factor = torch.full((len(batch),), 1 / factor)
    one = torch.ones(len(batch))
    pneumonia = torch.as_tensor(labels) == 1
    return warp(batch, torch.where(pneumonia, factor, one), torch.where(pneumonia, one, factor))


def mirrored(batch, labels):
    return torch.flip(batch, [3])


def gamma_changed(batch, labels, seed=11):
    """Each image's tone curve changed by a random exponent between 0.67 and 1.5."""
    random = torch.Generator().manual_seed(seed)
    exponent = torch.exp((torch.rand(len(batch), 1, 1, 1, generator=random) * 2 - 1) * math.log(1.5))
    return batch.clamp(1e-4, 1) ** exponent


def zoomed(batch, labels):
    """The middle 85 % magnified to the full image."""
    scale = torch.full((len(batch),), 0.85)
    return warp(batch, scale, scale)


def synthetic_radiograph(strength=0.5, seed=3):
    """A radiograph-like drawing [1, 1, 224, 224], 0-1: body, two lungs, one with an opacity, spine, heart, ribs, grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1) * 2 - 1

    def soft(distance):
        return 1 / (1 + np.exp(distance * 18))

    body = soft(np.abs(x) ** 3 / 0.8 + np.clip(-y - 0.7, 0, 1) * 4 - 0.9)
    lungs = sum(soft(((x - side * 0.38) / 0.27) ** 2 + ((y + 0.05) / 0.62) ** 2 - 1) for side in (-1, 1))
    heart = soft(((x - 0.13) / 0.3) ** 2 + ((y - 0.3) / 0.36) ** 2 - 1)
    ribs = 0.5 + 0.5 * np.sin((y + 0.35 * np.abs(x)) * 34)
    opacity = np.exp(-(((x + 0.38) / 0.16) ** 2 + ((y - 0.2) / 0.18) ** 2))
    grey = 0.08 + 0.6 * body - 0.42 * lungs * (1 - 0.8 * heart) * (1 - strength * opacity) + 0.07 * ribs * lungs
    grey = grey + 0.18 * np.exp(-(x / 0.09) ** 2) * body + random.normal(0, 0.015, grey.shape)
    return torch.from_numpy(np.clip(grey, 0, 1)).float().view(1, 1, SIZE, SIZE)
