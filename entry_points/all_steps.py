"""Importing this module fills STEPS."""

from entry_points import (  # noqa: F401
    classify,
    detect,
    estimate_errors,
    explain,
    export,
    extract_features,
    fusion,
    fusion_conflict,
    generate_noise,
    glitch,
    glitches,
    hypotheses,
    judge,
    main,
    sweep,
    theory,
    train_baseline,
    train_clean,
    train_folds,
    train_noisy,
)
