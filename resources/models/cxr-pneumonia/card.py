"""The model card of `cxr-pneumonia`; every figure in it comes from metrics.json."""
from training.bundle import shown, table


def figures(report):
    """The tables of measured figures, as Markdown."""
    threshold = report['threshold']

    def row(name, split):
        return [name, f"{split['images']} ({split['pneumonia']} / {split['normal']})", split['patients'], shown(split['auc']),
                shown(split['sensitivity']), shown(split['specificity']), shown(split['ece'])]

    def altered(rows):
        return table(['test images', 'AUC', 'sensitivity', 'specificity'],
                     [[name, shown(r['auc']), shown(r['sensitivity']), shown(r['specificity'])] for name, r in rows.items()])

    baseline = report['baseline']
    return '\n\n'.join([
        f'At the threshold {threshold} (the highest at which validation sensitivity is {report["training"]["sensitivity_target"]:.0%}); '
        'intervals are 95 % bootstrap intervals over patients.',
        table(['split', 'images (pneumonia / normal)', 'patients', 'AUC', 'sensitivity', 'specificity', 'calibration error'],
              [row('validation (sets threshold and calibration)', report['validation']), row('**test**', report['test']),
               row('test, strict: person number not in training', report['test_strict'])]),
        'Calibration on the test split:',
        table(['probability', 'images', 'mean probability', 'share with pneumonia'],
              [[f"{r['low']:.1f}–{r['high']:.1f}", r['n'], shown(r['predicted']), shown(r['observed'])] for r in report['reliability']]),
        'The same test images, altered so that a shortcut would break:', altered(report['stress']),
        'The same test images with the lungs taken away, where a model that reads lungs should lose its footing:',
        altered(report['probe']),
        'For comparison:',
        table(['reader', 'AUC'], [
            ['width / height of the original files alone (measured by the data\'s collector on native files)',
             shown(baseline['aspect_ratio_of_native_files_auc'])],
            ['logistic regression on a 28x28 thumbnail', shown(baseline['linear_on_whole_thumbnail_auc'])],
            ['logistic regression on the outer 12 % of the thumbnail', shown(baseline['linear_on_outer_12_percent_auc'])]]),
    ])


def text(report):
    training = report['training']
    probe = report['probe']['lung fields painted over (middle 70 x 75 %)']['auc']['value']
    border = report['probe']['only the outer 12 % kept']['auc']['value']
    shared = report['test']['images'] - report['test_strict']['images']
    strict = report['test_strict']['pneumonia']
    return f"""# cxr-pneumonia: pneumonia on a paediatric chest radiograph

**Research software. Not a medical device, not cleared by anyone, not for diagnosis, triage or ruling out pneumonia.**

Input: one frontal chest radiograph (CR or DX). Output: one probability of pneumonia (bacterial or viral), for the whole image.

## What it was trained on

{training['images']} chest radiographs of children aged 1 to 5 from Guangzhou Women and Children's Medical Center:
Kermany DS, Goldbaum M, Cai W, et al. *Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep Learning*,
Cell 2018;172:1122–1131 (data: Mendeley Data rscbjbr9sj), CC BY 4.0, in copies squeezed to 224x224. Splits are by patient; validation
comes from the official training part, and the test split is 324 of the 624 official test images.
Labels are one diagnosis per file; age, sex and device of each image are not known.

The network: {training['parameters']:,} parameters, residual, trained from nothing for {training['epochs']} passes
({training['minutes']:.0f} minutes on a CPU, seed {training['seed']}). Probabilities are Platt-scaled on validation with both classes weighing
the same: they hold at even odds beforehand. Threshold and scaling come from validation images alone. A pilot of 6 passes
had been scored on this test split before (AUC 0.972); after it the training was made longer as planned and the scaling changed to even
odds, so the calibration figures are not wholly blind. Nothing else was chosen by test results.

## Measured

{figures(report)}

## Shortcuts

In the original files the aspect ratio alone tells the classes apart, and the squeeze to a square turns it into stretched anatomy;
side markers and devices also differ. Training therefore stretches each image at random by up to 1.42 along either axis, zooms, shifts,
rotates and mirrors it, paints over borders and corners, and changes brightness, contrast, tone curve, blur and noise;
the network itself removes each image's overall brightness and contrast. The tables above measure what that achieved.
With the lungs painted over the AUC is {probe:.3f}, and with only the frame kept {border:.3f} (a linear reader trained on
that frame reaches {report['baseline']['linear_on_outer_12_percent_auc']:.3f}, so the frame holds far more than this model takes from it). What these exceed 0.5 by is
information that is *not* in the lungs (build, positioning, arms, tubes, shape of the remaining chest) and that the model still uses or can use.
Without lungs the score goes up, not down: every such image is called pneumonia, presumably because missing lungs look
like white ones; so the blanked images also differ from anything seen in training, and these two rows are a probe, not a proof.

## What it cannot do

- Adults, other hospitals, other devices, lateral or rotated views: not measured. Expect worse, and do not assume which way.
- Anything but "pneumonia as labelled in this set": effusion, pneumothorax, tumour, tuberculosis, a line in the wrong place are not looked for.
- An image that is no chest radiograph, or shows no lungs, still gets a number, and likely a high one.
- It does not say where. A heat map drawn from it explains the model, not the disease.
- It calls too many: specificity on the official test images is lower than on validation, as others found with this set (see the tables).
  Painting over borders or stretching moves the scores more than their order: the AUC holds, the specificity at the fixed threshold falls.
- {shared} of the {report['test']['pneumonia']} pneumonia images of the test split carry a person number that also occurs in training, under the
  other subtype; whether they are the same child is not documented. The strict rows leave those out, at the price of few pneumonia cases.
  Where every case is right a bootstrap shows no spread: {strict} of {strict} found means a sensitivity of at least {0.025 ** (1 / strict):.3f} (exact 95 % bound).
- A probability here assumes even odds beforehand; where pneumonia is rarer it overstates.
- The test images were already JPEG-compressed and squeezed when received; a raw radiograph goes through Alcove's own window and resize,
  a path on which no accuracy could be measured.
"""
