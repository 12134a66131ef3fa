"""Simulated FDG-PET with known lesions: a torso with its physiological uptake, limbs, and lesions put into real images.

Arrays are [z, y, x] on a 4 mm grid, in SUVbw; x grows to the patient's left, y to posterior, z to superior. Every case
is `(suv, truth)`: float32 and bool. All randomness comes from the `numpy.random.Generator` handed in.
"""
import numpy as np
from scipy import ndimage

GRID_MM = 4.0
FWHM_TO_SIGMA = 1 / 2.3548


def smooth_noise(random, shape, fwhm_mm):
    """Gaussian noise of unit spread, correlated over `fwhm_mm`."""
    noise = ndimage.gaussian_filter(random.standard_normal(shape, dtype=np.float32), fwhm_mm * FWHM_TO_SIGMA / GRID_MM, mode='wrap')
    return noise / (noise.std() + 1e-6)


def coarse_field(random, shape, scale_mm):
    """A smooth random field of about unit spread that varies over `scale_mm`; cheap, by spline enlargement."""
    coarse = [max(2, int(np.ceil(side * GRID_MM / scale_mm)) + 2) for side in shape]
    field = ndimage.zoom(random.standard_normal(coarse).astype(np.float32), [s / c for s, c in zip(shape, coarse)], order=2,
                         mode='nearest', grid_mode=True)
    return field[:shape[0], :shape[1], :shape[2]]


class Scene:
    """A window onto a body: coordinates in mm, bent a little so that no organ is an exact ellipsoid."""

    def __init__(self, random, shape, centre_mm):
        self.random, self.shape = random, shape
        axes = [(np.arange(n, dtype=np.float32) - (n - 1) / 2) * GRID_MM + c for n, c in zip(shape, centre_mm)]
        self.straight = np.meshgrid(*axes, indexing='ij')
        self.bent = [axis + coarse_field(random, shape, 60) * random.uniform(1, 5) for axis in self.straight]
        self.suv = np.zeros(shape, np.float32)
        self.organs = np.zeros(shape, bool)

    def distance(self, centre, radii, tilt=0.0):
        """Normalised radius: 1 on the surface of the ellipsoid. `centre`, `radii` as (z, y, x) mm; tilt about y, radians."""
        z, y, x = (axis - c for axis, c in zip(self.bent, centre))
        if tilt:
            z, x = z * np.cos(tilt) - x * np.sin(tilt), z * np.sin(tilt) + x * np.cos(tilt)
        return np.sqrt((z / radii[0]) ** 2 + (y / radii[1]) ** 2 + (x / radii[2]) ** 2)

    def jitter(self, centre, radii, by_mm=10):
        r = self.random
        return [c + r.uniform(-by_mm, by_mm) for c in centre], [v * r.uniform(0.85, 1.18) for v in radii]

    def organ(self, centre, radii, value, tilt=0.0, by_mm=10, within=None):
        """Paints an ellipsoid organ of about `value` and returns its mask."""
        centre, radii = self.jitter(centre, radii, by_mm)
        mask = self.distance(centre, radii, tilt) < 1
        if within is not None:
            mask &= within
        self.suv[mask] = value
        return mask


def paint_head(scene, body):
    r = scene.random
    scene.organ((470, 0, 0), (105, 98, 76), r.uniform(0.5, 1.2), by_mm=5)
    centre, radii = scene.jitter((490, 5, 0), (68, 85, 68), 6)
    d = scene.distance(centre, radii)
    brain = d < 1
    folds = coarse_field(r, scene.shape, 22) > r.uniform(-0.6, 0.3)
    grey, white = r.uniform(5, 14), r.uniform(2, 4.5)
    scene.suv[brain] = white
    scene.suv[brain & ((d > 0.72) | folds)] = grey
    for side in (-1, 1):
        scene.organ((490, 5, side * 16), (16, 20, 9), grey * r.uniform(0.8, 1.1), by_mm=3)
        scene.organ((425, 45, side * 24), (20, 24, 24), grey * r.uniform(0.6, 0.95), by_mm=4)
        scene.organ((385, 10, side * 52), (22, 14, 12), r.uniform(1, 3.5))
        scene.organ((360, -15, side * 28), (10, 14, 10), r.uniform(1, 4))
        scene.organ((375, -15, side * 14), (10, 8, 6), r.uniform(1, 5))
        scene.organ((465, -80, side * 32), (8, 6, 14), r.uniform(1, 4), by_mm=3)
    if r.random() < 0.4:
        scene.organ((320, -25, 0), (14, 10, 14), r.uniform(1, 4))


def paint_chest(scene, body):
    r = scene.random
    lung = r.uniform(0.2, 0.7)
    lungs = np.zeros(scene.shape, bool)
    for side in (-1, 1):
        lungs |= scene.organ((100, 0, side * 82), (145, 88, 64), lung, within=body)
    mediastinum = scene.organ((110, 0, 5), (130, 70, 34), r.uniform(0.9, 1.9))
    lungs &= ~mediastinum
    blood = r.uniform(1.2, 2.4)
    scene.organ((140, 40, 18), (120, 12, 12), blood)
    centre, radii = scene.jitter((45, -25, 32), (46, 46, 50))
    d = scene.distance(centre, radii, r.uniform(-0.4, 0.4))
    scene.suv[d < 1] = blood
    if r.random() < 0.65:
        # Left ventricle: a thick cup, often only part of its wall avid.
        cup_centre, cup_radii = scene.jitter((42, -30, 50), (32, 32, 38), 6)
        d = scene.distance(cup_centre, cup_radii, r.uniform(-0.6, 0.6))
        wall = (d < 1) & (d > r.uniform(0.5, 0.68))
        if r.random() < 0.5:
            wall &= coarse_field(r, scene.shape, 45) > r.uniform(-1, 0.5)
        scene.suv[wall] = r.uniform(2.5, 16)
    return lungs


def paint_abdomen(scene, body):
    r = scene.random
    liver_value = r.uniform(1.4, 3.4)
    centre, radii = scene.jitter((-45, -8, -75), (85, 85, 95))
    liver = (scene.distance(centre, radii, r.uniform(-0.3, 0.3)) < 1) & body
    centre, radii = scene.jitter((-20, -45, 5), (42, 45, 75))
    liver |= (scene.distance(centre, radii) < 1) & body
    scene.suv[liver] = liver_value
    scene.organ((-40, 48, 110), (58, 42, 32), liver_value * r.uniform(0.7, 1.05))
    scene.organ((-60, -35, 65), (45, 35, 40), r.uniform(0.8, 3.2))
    for side in (-1, 1):
        centre, radii = scene.jitter((-125, 52, side * 68), (54, 26, 27))
        d = scene.distance(centre, radii, side * 0.2)
        scene.suv[d < 1] = r.uniform(2, 9)
        scene.suv[(d < r.uniform(0.35, 0.7))] = r.uniform(3, 22)
        if r.random() < 0.5:
            # Ureter: a thin hot string, in pieces.
            z, y, x = scene.bent
            path = (x - side * (40 + 10 * np.sin(z / 60))) ** 2 + (y - 35) ** 2 < r.uniform(3.5, 5) ** 2
            scene.suv[path & (z < -150) & (z > -310) & (coarse_field(r, scene.shape, 40) > 0)] = r.uniform(3, 14)
    if r.random() < 0.8:
        # Bowel: winding tubes, the level set of a random field, of one uptake per patient.
        band = np.abs(coarse_field(r, scene.shape, r.uniform(35, 60))) < r.uniform(0.1, 0.3)
        centre, radii = scene.jitter((-200, -35, 0), (95, 55, 110))
        bowel = band & (scene.distance(centre, radii) < 1) & body & ~liver
        uptake = r.uniform(1, 5) * np.clip(1 + 0.35 * coarse_field(r, scene.shape, 50), 0.4, 2)
        scene.suv[bowel] = uptake[bowel]
    return liver


def paint_pelvis(scene, body):
    r = scene.random
    size = r.uniform(0.7, 1.6)
    scene.organ((-330, -30, 0), (32 * size, 32 * size, 38 * size), float(np.exp(r.uniform(np.log(3), np.log(60)))))
    scene.organ((-325, 40, 0), (45, 18, 20), r.uniform(0.8, 3))
    if r.random() < 0.3:
        scene.organ((-300, 5, 0), (25, 22, 28), r.uniform(1, 4.5))
    for side in (-1, 1):
        scene.organ((-300, 15, side * 105), (55, 35, 22), r.uniform(0.6, 1.8))


def body_scene(random, shape, centre_mm):
    """A scene with the whole anatomy painted: (scene, body, lungs, liver)."""
    r = random
    scene = Scene(r, shape, centre_mm)
    z, y, x = scene.bent
    scale = r.uniform(0.85, 1.18)
    z, y, x = z, y / scale, x / scale
    muscle, fat = r.uniform(0.4, 1.0), r.uniform(0.15, 0.45)
    taper = np.clip(1 - np.abs(z + 40) / 2200, 0.7, 1)
    torso = ((np.abs(x) / (168 * taper)) ** 2.6 + (np.abs(y) / (112 * taper)) ** 2.4 < 1) & (z > -370) & (z < 255)
    inner = ((np.abs(x) / (145 * taper)) ** 2.6 + (np.abs(y) / (92 * taper)) ** 2.4 < 1) & torso
    neck = ((x / 62) ** 2 + (y / 62) ** 2 < 1) & (z >= 250) & (z < 420)
    narrowing = np.clip(1 + (z + 350) / 1600, 0.45, 1)
    legs = ((np.abs(x) - 90) ** 2 / (82 * narrowing) ** 2 + y ** 2 / (88 * narrowing) ** 2 < 1) & (z <= -350)
    body = torso | neck | legs | (scene.distance((470, 0, 0), (110, 102, 80)) < 1)
    if r.random() < 0.5:
        body |= ((np.abs(x) - 215) ** 2 + y ** 2 < 44 ** 2) & (z < 200) & (z > -420)
    scene.suv[body] = fat
    scene.suv[inner | neck] = muscle
    scene.suv[legs & (((np.abs(x) - 90) ** 2 + y ** 2) < (70 * narrowing) ** 2)] = muscle
    marrow = r.uniform(0.6, 2.4)
    spine = (x ** 2 + (y - 68) ** 2 < 21 ** 2) & (z > -310) & (z < 380) & (np.sin(z / 4.9) > -0.75)
    lungs = paint_chest(scene, body)
    liver = paint_abdomen(scene, body)
    paint_pelvis(scene, body)
    paint_head(scene, body)
    scene.suv[spine] = marrow
    scene.suv[legs & (((np.abs(x) - 92) ** 2 + (y + 3) ** 2) < 15 ** 2)] = marrow * 0.6
    return scene, body, lungs & body, liver & body


def lesion_mask(random, shape, centre_voxel, volume_ml):
    """A lesion of about `volume_ml`: an ellipsoid, sometimes two or three joined, with a wavy surface."""
    radius_mm = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    grid = [(np.arange(n, dtype=np.float32) - c) * GRID_MM for n, c in zip(shape, centre_voxel)]
    z, y, x = np.meshgrid(*grid, indexing='ij')
    mask = np.zeros(shape, bool)
    wave = coarse_field(random, shape, float(np.clip(radius_mm, 14, 60))) * random.uniform(0, 0.16)
    parts = random.choice([1, 1, 2, 3]) if volume_ml > 8 else 1
    for part in range(parts):
        rotation = np.linalg.qr(random.standard_normal((3, 3)))[0]
        stretch = np.exp(random.normal(0, 0.22, 3))
        radii = radius_mm * stretch / np.prod(stretch) ** (1 / 3) * (1 if parts == 1 else parts ** (-0.25))
        away = random.normal(0, 0.5, 3) * radius_mm if part else np.zeros(3)
        a = [rotation[i, 0] * (z - away[0]) + rotation[i, 1] * (y - away[1]) + rotation[i, 2] * (x - away[2]) for i in range(3)]
        mask |= np.sqrt((a[0] / radii[0]) ** 2 + (a[1] / radii[1]) ** 2 + (a[2] / radii[2]) ** 2) + wave < 1
    return mask


def lesion_uptake(random, mask, background, peak):
    """SUV inside a lesion: from homogeneous to a hot rim around a necrotic core or a few hot spots in a dull mass."""
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    texture = coarse_field(random, mask.shape, random.uniform(16, 50))
    base = background + (peak - background) * random.uniform(0.55, 1) * np.ones(mask.shape, np.float32)
    base = base * np.clip(1 + texture * random.uniform(0, 0.3), 0.5, 1.6)
    volume_ml = mask.sum() * GRID_MM ** 3 / 1000
    kind = random.random()
    dull = background * random.uniform(0.7, 2.2)
    if volume_ml > 15 and kind < 0.3:
        depth = ndimage.distance_transform_edt(mask) * GRID_MM
        core = depth + 5 * coarse_field(random, mask.shape, 25) > random.uniform(8, 0.75 * depth.max() + 8)
        base[core] = dull
    elif volume_ml > 15 and kind < 0.6:
        patch = coarse_field(random, mask.shape, random.uniform(25, 70))
        base[patch > random.uniform(-0.3, 1.2)] = dull
    return base.astype(np.float32)


def scanner(random, suv, psf_mm=None, noise=None):
    """What a scanner makes of true activity: blur, correlated noise that grows with the square root of uptake, resampling."""
    psf = random.uniform(3.5, 9) if psf_mm is None else psf_mm
    blurred = ndimage.gaussian_filter(suv, psf * FWHM_TO_SIGMA / GRID_MM, mode='nearest')
    level = (0.0 if random.random() < 0.08 else float(np.exp(random.uniform(np.log(0.02), np.log(0.25))))) if noise is None else noise
    if level:
        grain = smooth_noise(random, suv.shape, random.uniform(4, 9))
        blurred = blurred + level * np.sqrt(np.maximum(blurred, 0) + 0.02) * grain
    if random.random() < 0.4:
        # Through the scanner's own grid, coarser in plane, and back.
        factors = [GRID_MM / 3.27, GRID_MM / random.uniform(4.2, 5.5)]
        there = ndimage.zoom(blurred, [factors[0], factors[1], factors[1]], order=1, grid_mode=True, mode='nearest')
        blurred = ndimage.zoom(there, [a / b for a, b in zip(suv.shape, there.shape)], order=1, grid_mode=True, mode='nearest')
    return np.maximum(blurred, 0).astype(np.float32)


def textured(random, suv):
    """Organs with the uneven uptake that real ones have."""
    return suv * np.clip(1 + random.uniform(0.03, 0.2) * coarse_field(random, suv.shape, random.uniform(20, 60)), 0.4, 1.8)


def lesion_peak(random, background):
    """A peak SUV that stands out from its surroundings: at least 1.8 times them plus one half."""
    return max(float(np.exp(random.normal(np.log(6), 0.6))), background * random.uniform(1.8, 4) + 0.5)


def small_volume(random):
    """0.5 to about 60 ml, log-uniform."""
    return float(np.exp(random.uniform(np.log(0.5), np.log(60))))


def add_lesion(random, suv, truth, centre_voxel, volume_ml, within=None):
    mask = lesion_mask(random, suv.shape, centre_voxel, volume_ml)
    if within is not None:
        mask &= within
    if not mask.any():
        return
    shell = ndimage.binary_dilation(mask, iterations=2) & ~mask
    background = float(np.median(suv[shell])) if shell.any() else 1.0
    suv[mask] = lesion_uptake(random, mask, background, lesion_peak(random, background))[mask]
    truth |= mask


def torso_case(random, shape=(64, 64, 64), centre_mm=None, lesions=None, **scan):
    """A window of the whole body, head to thigh, with 0 to 4 lesions in lung, liver or elsewhere."""
    if centre_mm is None:
        centre_mm = (random.uniform(-420, 520), random.uniform(-40, 40), random.uniform(-110, 110))
    scene, body, lungs, liver = body_scene(random, shape, centre_mm)
    suv, truth = textured(random, scene.suv), np.zeros(shape, bool)
    count = random.choice([0, 1, 1, 2, 3, 4]) if lesions is None else lesions
    inside = ndimage.binary_erosion(body, iterations=2)
    # A lesion inside an intensely avid organ cannot be told from it: none is put there.
    cool = suv < 4
    for _ in range(count):
        places = [place for place in (lungs, liver, inside, inside) if (place & cool & inside).any()]
        if not places:
            break
        spots = np.argwhere(places[random.integers(len(places))] & cool & inside)
        if not len(spots):
            continue
        add_lesion(random, suv, truth, spots[random.integers(len(spots))], small_volume(random), within=body & cool)
    suv = scanner(random, suv + random.uniform(0, 0.04), **scan)
    if lesions is None and random.random() < 0.25:
        # The scan's end, with the zeros that pad a tile beyond it.
        cut = int(random.integers(4, shape[0] // 3))
        beyond = slice(0, cut) if random.random() < 0.5 else slice(shape[0] - cut, None)
        suv[beyond], truth[beyond] = 0, False
    return suv, truth


def limb_case(random, volume_ml, shape=(64, 64, 64), **scan):
    """Soft-tissue mass of `volume_ml` in a limb or the pelvic girdle, in a box cut around it; outside the box is 0."""
    r = random
    truth_centre = [(n - 1) / 2 + r.uniform(-5, 5) for n in shape]
    scene = Scene(r, shape, (0, 0, 0))
    z, y, x = scene.bent
    radius = float(np.clip((volume_ml * 1000 * 0.24) ** (1 / 3) * r.uniform(0.9, 1.8), 35, 130)) + r.uniform(0, 25)
    slope = r.uniform(-0.25, 0.25)
    away = r.uniform(0, 0.7) * radius
    direction = r.uniform(0, 2 * np.pi)
    cx, cy = np.cos(direction) * away, np.sin(direction) * away
    widths = radius * (1 + slope * z / 150)
    limb = ((x - cx) / widths) ** 2 + ((y - cy) / (widths * r.uniform(0.85, 1.15))) ** 2 < 1
    muscles = ((x - cx) / (widths * 0.86)) ** 2 + ((y - cy) / (widths * 0.86)) ** 2 < 1
    muscle, fat = r.uniform(0.35, 0.9), r.uniform(0.12, 0.4)
    body = limb.copy()
    scene.suv[limb] = fat
    scene.suv[muscles] = muscle
    if r.random() < 0.6:
        side = -1 if cx > 0 else 1
        other = (x - cx - side * r.uniform(2.05, 2.6) * radius) ** 2 + (y - cy) ** 2 < widths ** 2
        scene.suv[other & ~limb] = muscle * r.uniform(0.85, 1.1)
        body |= other
    # Fat planes between muscles, bone with cool cortex, vessels.
    planes = np.abs(coarse_field(r, shape, r.uniform(30, 60))) < 0.08
    scene.suv[planes & muscles] = fat
    bone = (x - cx * 0.6) ** 2 + (y - cy * 0.6) ** 2
    scene.suv[bone < 17 ** 2] = 0.25
    scene.suv[bone < 11 ** 2] = r.uniform(0.3, 1.4)
    vessel = (x - cx - r.uniform(-0.5, 0.5) * radius) ** 2 + (y - cy - r.uniform(-0.5, 0.5) * radius) ** 2 < r.uniform(3, 7) ** 2
    scene.suv[vessel & body] = r.uniform(0.8, 2.2)
    if r.random() < 0.4:
        # Bladder, bowel or a kidney at the edge of the box: avid and not the tumour.
        reach = (volume_ml * 1000 * 0.24) ** (1 / 3) + r.uniform(35, 80)
        edge = r.standard_normal(3)
        edge *= reach / np.linalg.norm(edge)
        avid = scene.distance(edge, r.uniform(15, 40, 3)) < 1
        body |= avid
        scene.suv[avid] = float(np.exp(r.uniform(np.log(1.5), np.log(40))))
    mask = lesion_mask(r, shape, truth_centre, volume_ml)
    # A mass that outgrows the limb bulges it: skin and fat stay around.
    scene.suv[ndimage.binary_dilation(mask, iterations=int(r.integers(1, 4))) & ~body] = r.choice([fat, muscle])
    suv = textured(r, scene.suv)
    peak = float(np.exp(r.normal(np.log(5.5), 0.65)))
    background = muscle
    suv[mask] = lesion_uptake(r, mask, background, max(peak, background * 1.8 + 0.4))[mask]
    # The contour is drawn on MR and carried over: it does not follow the uptake to the voxel.
    truth = ndimage.binary_dilation(mask) if r.random() < 0.25 else mask
    suv = scanner(r, suv + r.uniform(0, 0.03), **scan)
    return crop_box(r, suv, truth), truth


def plain_phantom(random, place, spacing=(3.0, 4.0, 4.0)):
    """A plain torso of straight ellipsoids with one ellipsoidal lesion of about 3 cm at SUV 8: (suv, truth).

    Drawn apart from `torso_case` on purpose, on a scanner-like grid (`spacing` z, y, x in mm), as a check that the network has not
    learnt the other generator's habits. `place` is 'lung', 'liver' or 'soft tissue'.
    """
    shape = [int(extent / s) for extent, s in zip((420, 280, 420), spacing)]
    z, y, x = np.meshgrid(*[(np.arange(n, dtype=np.float32) - n / 2) * s for n, s in zip(shape, spacing)], indexing='ij')

    def inside(centre, radii):
        return sum(((axis - c) / r) ** 2 for axis, c, r in zip((z, y, x), centre, radii)) < 1

    suv = np.full(shape, 0.02, np.float32)
    suv[(x / 175) ** 2 + (y / 115) ** 2 < 1] = 0.9
    for side in (-1, 1):
        suv[inside((90, 0, side * 80), (115, 75, 60))] = 0.5
        suv[inside((-95, 50, side * 65), (50, 25, 25))] = random.uniform(3, 6)
    suv[inside((50, -25, 30), (45, 42, 48))] = 1.8
    suv[inside((50, -25, 38), (38, 34, 38)) & ~inside((50, -25, 38), (26, 22, 26))] = random.uniform(3, 9)
    suv[inside((-45, -5, -75), (75, 80, 85))] = 2.0
    suv[inside((-40, 45, 110), (50, 38, 30))] = 1.7
    suv[inside((-175, -20, 0), (28, 32, 36))] = random.uniform(15, 30)
    suv[(x ** 2 + (y - 70) ** 2 < 20 ** 2)] = 1.3
    centre = {'lung': (100, 5, 85), 'liver': (-40, -10, -90), 'soft tissue': (-120, -60, -70)}[place]
    truth = inside([c + random.uniform(-12, 12) for c in centre], random.uniform(13, 18, 3))
    suv[truth] = 8
    sigma = [random.uniform(4, 7) * FWHM_TO_SIGMA / s for s in spacing]
    suv = ndimage.gaussian_filter(suv, sigma)
    grain = ndimage.gaussian_filter(random.standard_normal(shape), [5 * FWHM_TO_SIGMA / s for s in spacing])
    suv = suv + random.uniform(0.03, 0.1) * np.sqrt(suv) * grain / grain.std()
    return np.maximum(suv, 0).astype(np.float32), truth


def crop_box(random, suv, truth):
    """Sets everything outside a box around the lesion to 0, each side 2 to 9 cm away, so that the box does not give it away."""
    out = np.zeros_like(suv)
    where = np.argwhere(truth)
    if not len(where) or random.random() < 0.15:
        return suv
    low, high = where.min(0), where.max(0) + 1
    cut = tuple(slice(max(0, int(a - random.uniform(20, 90) / GRID_MM)), int(b + random.uniform(20, 90) / GRID_MM))
                for a, b in zip(low, high))
    out[cut] = suv[cut]
    return out


def inserted_case(random, suv, truth, shape=(64, 64, 64)):
    """A random window of a real image with simulated lesions added to its activity before a further, small blur.

    `truth` marks the real lesions. The real noise stays; the lesion replaces what was there.
    """
    r = random
    zoom = r.uniform(0.88, 1.12)
    size = [int(round(n / zoom)) for n in shape]
    starts = [int(r.integers(-8, max(-7, n - s + 9))) for n, s in zip(suv.shape, size)]

    def window(volume):
        out = np.zeros(size, np.float32)
        source = [slice(max(0, a), min(n, a + s)) for a, s, n in zip(starts, size, volume.shape)]
        target = [slice(s.start - a, s.stop - a) for s, a in zip(source, starts)]
        out[tuple(target)] = volume[tuple(source)]
        factors = [n / s for n, s in zip(shape, size)]
        return ndimage.zoom(out, factors, order=1, grid_mode=True, mode='nearest')

    image, marked = window(suv), window(truth.astype(np.float32)) > 0.5
    image = image * r.uniform(0.8, 1.25)
    body = ndimage.binary_erosion(image > 0.25, iterations=2)
    for _ in range(r.choice([0, 1, 1, 2, 3])):
        spots = np.argwhere(body & (image < 3.5) & ~marked)
        if not len(spots):
            break
        mask = lesion_mask(r, shape, spots[r.integers(len(spots))], small_volume(r)) & (image > 0.1) & (image < 5)
        if mask.sum() < 6:
            continue
        background = float(np.median(image[mask]))
        uptake = lesion_uptake(r, mask, background, lesion_peak(r, background))
        psf = r.uniform(4.5, 8) * FWHM_TO_SIGMA / GRID_MM
        share = ndimage.gaussian_filter(mask.astype(np.float32), psf)
        hot = ndimage.gaussian_filter(np.where(mask, uptake, 0).astype(np.float32), psf)
        grain = 1 + r.uniform(0.02, 0.12) * smooth_noise(r, shape, 6)
        image = image * (1 - share) + hot * grain
        marked |= mask
    return np.maximum(image, 0).astype(np.float32), marked
