"""Compile the loops of the radiomics once, before many workers would do it side by side."""

from threading import Timer

from hnmets.workflows.on_case import OnStep

# Loading what was compiled before takes less.
_PATIENCE_SECONDS = 2.0


def prepare(on_step: OnStep) -> None:
    """Have the compiled loops ready on disk; say so if it takes time."""
    from hnmets.extractors.fast_radiomics.warm_up import compile_all

    notice = "compiling the radiomics engine, once per installation: about a minute …"
    timer = Timer(_PATIENCE_SECONDS, on_step, [notice])
    timer.start()
    try:
        compile_all()
    finally:
        timer.cancel()
