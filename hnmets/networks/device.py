"""Which device networks run on."""


def describe() -> str:
    """Return the device in words, with the build of torch."""
    import torch

    build = f"torch {torch.__version__}"
    if not torch.cuda.is_available():
        return f"CPU, {build}"
    return f"{torch.cuda.get_device_name()}, {build}"
