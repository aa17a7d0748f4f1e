//! Metrics over language models' logs: calibration, generation-verification gap, critical batch size.
