"""One worker's task: read cases, measure what is missing, write one shard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from feature_store.recipe import Json
from feature_store.row import Row
from feature_store.shard import write_shard
from hnmets.domain.case import Case, Failure
from hnmets.domain.errors import CaseError, Code
from hnmets.domain.region import Scalar
from hnmets.extractors.base import Features
from hnmets.extractors.embedding import Embedding
from hnmets.extractors.radiomics_audit import RadiomicsAudit, Verdict
from hnmets.imaging.crop import Crop
from hnmets.workflows.case_reader import ReadCase, Reading, read_case
from hnmets.workflows.identity import digest_of_files, files_of
from hnmets.workflows.workbench import Workbench


@dataclass(frozen=True, kw_only=True)
class CaseWork:
    """What is missing of one case.

    Parameters
    ----------
    wanted
        Fingerprints to compute.
    known
        Input digest of the stored row by fingerprint: where the files turn out to be the same
        in spite of a new time stamp, nothing is computed.
    digests
        Digest by path of the case's files that are surely unchanged since they were read.
    ready
        Rows that need no image (clinical, outcome): they enter the store with the rest.
    audited
        Fingerprints of radiomics that PyRadiomics measures too.
    """

    case: Case
    wanted: frozenset[str]
    known: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[Row, ...] = ()
    audited: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Work:
    """Cases that are measured together and stored in one shard."""

    bench: Workbench
    cases: tuple[CaseWork, ...]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of a task.

    Parameters
    ----------
    shard
        Parquet file with the rows; None where nothing was new.
    rows
        (case, fingerprint) of each row.
    unchanged
        (case, fingerprint) of rows whose files were touched and turned out the same.
    digests
        Digest by path of each file that was read.
    failures
        What could not be measured, and why.
    verdicts
        What the audit found.
    """

    shard: Path | None
    rows: tuple[tuple[str, str], ...]
    unchanged: tuple[tuple[str, str], ...] = ()
    digests: Mapping[str, str]
    failures: tuple[Failure, ...]
    verdicts: tuple[Verdict, ...] = ()


def measure(work: Work) -> Measured:
    """Measure the cases of a task and write their rows into one shard.

    A case or a region that cannot be measured becomes a failure; what could be measured of
    the case is stored all the same.
    """
    seen = _embedded(work.bench, [_seen(work.bench, case) for case in work.cases])
    rows = [row for case in seen for row in case.rows]
    return Measured(
        shard=write_shard(work.bench.store, work.bench.stored_recipes, rows) if rows else None,
        rows=tuple((row.case_id, row.fingerprint) for row in rows),
        unchanged=tuple(
            (case.work.case.case_id, fingerprint)
            for case in seen
            if case.digests
            for fingerprint in sorted(case.work.wanted - case.wanted)
        ),
        digests={path: digest for case in seen for path, digest in case.digests.items()},
        failures=tuple(failure for case in seen for failure in case.failures),
        verdicts=tuple(verdict for case in seen for verdict in case.verdicts),
    )


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A case on its way through a task."""

    work: CaseWork
    wanted: frozenset[str]
    rows: tuple[Row, ...]
    digests: Mapping[str, str]
    failures: tuple[Failure, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    crop: Crop | None = None


def _seen(bench: Workbench, work: CaseWork) -> _Seen:
    """Read a case, measure its regions, cut its crop."""
    if bench.only_embeddings(work.wanted) and (crop := _cached_crop(bench, work)):
        return _Seen(
            work=work, wanted=work.wanted, rows=work.ready, digests=work.digests, crop=crop
        )
    try:
        read = read_case(
            Reading(
                case=work.case,
                rules=bench.rules,
                memory_gib=bench.memory_gib,
                alteration=bench.alteration,
            )
        )
    except CaseError as error:
        return _Seen(
            work=work,
            wanted=frozenset(),
            rows=work.ready,
            digests={},
            failures=(Failure.of(work.case.case_id, bench.stage("read"), error),),
        )
    return _measured(bench, work, read)


def _measured(bench: Workbench, work: CaseWork, read: ReadCase) -> _Seen:
    wanted = frozenset(
        fingerprint
        for fingerprint in work.wanted
        if work.known.get(fingerprint) != _digest(bench, work.case, fingerprint, read.digests)
    )
    rows, failures = list(work.ready), []
    verdicts: list[Verdict] = []
    for extractor in bench.measures:
        fingerprint = extractor.recipe.fingerprint
        if fingerprint not in wanted:
            continue
        digest = _digest(bench, work.case, fingerprint, read.digests)
        audit = bench.audits.get(fingerprint) if fingerprint in work.audited else None
        try:
            found = extractor.extract(read.case)
            if audit is not None:
                found, passed = audit.compare(read.case, found)
                verdicts += passed
                rows += [_verdict_row(audit, verdict, digest) for verdict in passed]
        except CaseError as error:
            failures.append(Failure.of(work.case.case_id, extractor.recipe.name, error))
            continue
        rows += [
            _row(work.case.case_id, fingerprint, digest, features, read.case.flags)
            for features in found
        ]
    seen = _Seen(
        work=work,
        wanted=wanted,
        rows=tuple(rows),
        digests=read.digests,
        failures=tuple(failures),
        verdicts=tuple(verdicts),
    )
    return _with_crop(bench, seen, read)


def _with_crop(bench: Workbench, seen: _Seen, read: ReadCase) -> _Seen:
    """Cut and keep the crop, where an embedding is wanted."""
    wanted = [e for e in bench.embeddings if e.recipe.fingerprint in seen.wanted]
    if not wanted:
        return seen
    fingerprint = wanted[0].recipe.fingerprint
    key = wanted[0].crop_key(_digest(bench, seen.work.case, fingerprint, read.digests))
    if crop := bench.crops.read(key):
        return replace(seen, crop=crop)
    try:
        crop = wanted[0].cut(read.case)
    except CaseError as error:
        failure = Failure.of(seen.work.case.case_id, bench.stage("crop"), error)
        return replace(seen, failures=(*seen.failures, failure))
    bench.crops.write(key, crop, {"case": read.case.case_id, "files": _named(read.digests)})
    return replace(seen, crop=crop)


def _cached_crop(bench: Workbench, work: CaseWork) -> Crop | None:
    if not work.wanted:
        return None
    embedding = bench.embeddings[0]
    regions = bench.regions_of[embedding.recipe.fingerprint]
    files = files_of(work.case, bench.rules, regions)
    digest = digest_of_files(files, work.digests)
    return bench.crops.read(embedding.crop_key(digest)) if digest else None


def _embedded(bench: Workbench, seen: Sequence[_Seen]) -> list[_Seen]:
    """Embed the crops of all cases together, variant by variant."""
    done = {case.work.case.case_id: case for case in seen}
    for embedding in bench.embeddings:
        fingerprint = embedding.recipe.fingerprint
        cases = [c for c in done.values() if c.crop is not None and fingerprint in c.wanted]
        if not cases:
            continue
        crops = [case.crop for case in cases if case.crop is not None]
        for case, features in zip(cases, embedding.embed(crops), strict=True):
            done[case.work.case.case_id] = _with_embedding(bench, case, embedding, features)
    return list(done.values())


def _with_embedding(
    bench: Workbench, seen: _Seen, embedding: Embedding, features: Features | CaseError
) -> _Seen:
    if isinstance(features, CaseError):
        failure = Failure.of(seen.work.case.case_id, embedding.recipe.name, features)
        return replace(seen, failures=(*seen.failures, failure))
    digest = _digest(bench, seen.work.case, embedding.recipe.fingerprint, seen.digests)
    row = _row(seen.work.case.case_id, embedding.recipe.fingerprint, digest, features, {})
    return replace(seen, rows=(*seen.rows, row))


def _row(
    case_id: str,
    fingerprint: str,
    digest: str,
    features: Features,
    flags: Mapping[str, Scalar],
) -> Row:
    return Row(
        case_id=case_id,
        fingerprint=fingerprint,
        input_digest=digest,
        values=features.values,
        part=features.part,
        reasons=features.reasons,
        flags={**flags, **features.flags},
        made_with=features.made_with,
    )


def _verdict_row(audit: RadiomicsAudit, verdict: Verdict, digest: str) -> Row:
    return Row(
        case_id=verdict.case_id,
        fingerprint=audit.recipe.fingerprint,
        input_digest=digest,
        values=(verdict.worst, verdict.feature),
        part=verdict.part,
    )


def _digest(bench: Workbench, case: Case, fingerprint: str, digests: Mapping[str, str]) -> str:
    """Return the digest of the files that a row of a recipe stands on; all were read.

    Raises
    ------
    CaseError
        If a file was not read after all.
    """
    files = files_of(case, bench.rules, bench.regions_of[fingerprint])
    digest = digest_of_files(files, digests)
    if digest is None:
        raise CaseError(Code.EXTRACTOR, "a file of the case was not read")
    return digest


def _named(digests: Mapping[str, str]) -> dict[str, Json]:
    """Return the digests by file name: where the files lie is nobody's business."""
    return {Path(path).name: digest for path, digest in digests.items()}
