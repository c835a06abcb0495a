"""The same image under several patients would stand in training and in test."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hnmets.domain.case import Case, Failure
from hnmets.domain.errors import Code


def duplicated_images(cases: Iterable[Case], digests: Mapping[str, str]) -> list[Failure]:
    """Return a failure for every case whose image another patient has too.

    Several cases of one patient may share an image: two tumours in one CT.

    Parameters
    ----------
    digests
        SHA-256 of the files by path.
    """
    by_digest: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if digest := digests.get(str(case.image)):
            by_digest[digest].append(case)
    failures = []
    for group in by_digest.values():
        if len({case.patient_id for case in group}) < 2:
            continue
        for case in group:
            others = ", ".join(other.case_id for other in group if other is not case)
            failures.append(
                Failure(
                    case_id=case.case_id,
                    code=Code.IMAGE_DUPLICATE,
                    stage="cohort",
                    detail=f"the same image as {others}",
                )
            )
    return failures
