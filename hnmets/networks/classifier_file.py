"""A trained classifier on disk: encoder and head as safetensors, what it is in their header."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save

from feature_store.atomic import write_atomic
from feature_store.recipe import Json
from hnmets.networks.classifier import Classifier
from hnmets.networks.encoder import Encoder
from hnmets.networks.weights_file import CLASSIFIER, WeightsError, read_metadata, read_tensors

_OTHER = "Load it with the backbone and preset that it was trained with."


def save_classifier(path: Path, classifier: Classifier, metadata: Mapping[str, Json]) -> Path:
    """Write a `.safetensors` file; a reader meets all of it or nothing.

    The same weights and metadata give the same bytes.
    """
    tensors = {name: tensor.cpu().contiguous() for name, tensor in classifier.state_dict().items()}
    text = json.dumps(dict(metadata), sort_keys=True)
    return write_atomic(path, save(tensors, {CLASSIFIER: text}))


def load_classifier(path: Path, encoder: Encoder) -> tuple[Classifier, dict[str, Json]]:
    """Read what `save_classifier` wrote.

    Parameters
    ----------
    encoder
        Of the backbone and shape that the file was written with; it is filled.

    Returns
    -------
    tuple
        The classifier in evaluation mode, and the metadata of the file.

    Raises
    ------
    WeightsError
        If the file is damaged or no classifier, its tensors are not those of the classifier,
        or one of them holds values that are not finite.
    """
    if path.suffix != ".safetensors":
        raise WeightsError(f"weights {path.name}: a classifier is kept as .safetensors")
    tensors, header = read_tensors(path), read_metadata(path)
    if CLASSIFIER not in header:
        raise WeightsError(f"weights {path.name}: not a classifier that hnmets trained")
    # Any prevalence: the head's bias is in the file.
    classifier = Classifier(encoder, prevalence=0.5).eval()
    wanted = {name: (t.shape, t.dtype) for name, t in classifier.state_dict().items()}
    met = {name: (t.shape, t.dtype) for name, t in tensors.items()}
    if differing := sorted(n for n in wanted | met if wanted.get(n) != met.get(n)):
        raise WeightsError(
            f"weights {path.name}: {len(differing)} tensors are absent, unknown or of another "
            f"shape, the first is '{differing[0]}'"
        ).with_note(_OTHER)
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise WeightsError(f"weights {path.name}: '{name}' holds values that are not finite")
    classifier.load_state_dict(tensors)
    return classifier, json.loads(header[CLASSIFIER])
