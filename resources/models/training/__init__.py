"""What the training scripts of the packaged models share: metrics, ONNX export and the package's manifest."""
