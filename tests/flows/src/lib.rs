//! Whole-product tests: main job, refusals, crash.
