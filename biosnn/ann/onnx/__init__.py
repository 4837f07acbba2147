"""ONNX files, both ways: parsed within bounds, read as layers, written, and run by ONNX Runtime."""
