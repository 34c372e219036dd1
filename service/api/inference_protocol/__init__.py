"""The Open Inference Protocol, version 2, so that existing serving clients work: a stream is a model."""
