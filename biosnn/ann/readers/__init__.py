"""Ordinary networks from named arrays and from modules of PyTorch; those from ONNX files are in `biosnn.ann.onnx`."""
