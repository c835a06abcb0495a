"""Patients who are given away in every field, file and folder, and what is searched for it."""

import sqlite3
import warnings
import zlib
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from contextlib import closing
from functools import cache
from pathlib import Path

import duckdb
import pyarrow.ipc
import pyarrow.parquet as pq
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests import builders_dicom_defects as do
from tests.builders_dicom import Polygon, add_region, patient, save, tube

CANARY = "KANARIENVOGEL"
# What else the phantoms give away, and a part of every UID that they have.
SECRETS = (CANARY, CANARY.lower(), "Somebody", "19580401", "20250103", "MRN-", "1.2.826.0.1")
TEXTS = {"AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
# Without these the object would be no CT or structure set, or its patient somebody else.
NEEDED = {
    "Modality",
    "ImageType",
    "PhotometricInterpretation",
    "SpecificCharacterSet",
    "ContourGeometricType",
    "ROIName",
}


@cache
def telling_fields() -> Dataset:
    """Every text field that DICOM knows, private ones and a sequence, with the canary in each."""
    ds = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # many of these fields allow no such word
        for tag, (kind, multiplicity, _, retired, keyword) in DicomDictionary.items():
            wanted = kind in TEXTS and multiplicity.startswith("1") and keyword and not retired
            if wanted and tag >> 16 not in {0, 2} and keyword not in NEEDED:
                setattr(ds, keyword_for_tag(tag), CANARY)
    block = ds.private_block(0x0011, CANARY, create=True)
    block.add_new(0x01, "LO", CANARY)
    item = Dataset()
    item.PatientName = item.InstitutionName = CANARY
    ds.OtherPatientIDsSequence = Sequence([item])
    ds.RequestAttributesSequence = Sequence([item])
    return ds


def write_contaminated(
    root: Path, number: int, spoil: do.Spoil | None = None, **regions: Seq[Polygon]
) -> Path:
    """Write a patient whose headers, region names, files and folder hold the canary."""
    ct, structures = patient(number, **regions)
    images, others = spoil(ct, structures) if spoil else (ct, [structures])
    for ds in (*images, *others):
        ds.update(telling_fields())
        ds.file_meta.SourceApplicationEntityTitle = CANARY
        ds.PatientID = f"{CANARY}-{number}"
    for rt in (ds for ds in others if "ROIContourSequence" in ds):
        add_region(rt, 90, f"GTV {CANARY}", tube([5]))
        add_region(rt, 91, CANARY, tube([5]))
    folder = root / f"{CANARY}^Hans {number}"
    folder.mkdir(parents=True)
    for place, ds in enumerate([*images, *others]):
        save(ds, folder / f"{CANARY}_{place}.dcm")
    return folder


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder by its relative name, and what is in it where it is packed."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, raw = str(file.relative_to(folder)), file.read_bytes()
        yield name, raw
        if (unpack := _PACKED.get(file.suffix)) is not None:
            yield name, unpack(file)


def _inflated(file: Path) -> bytes:
    # Half a file, too, has what stands in its first half.
    return zlib.decompressobj(wbits=31).decompress(file.read_bytes())


def _parquet(file: Path) -> bytes:
    table = pq.read_table(file)
    return f"{table.schema} {table.to_pylist()}".encode()


def _arrow(file: Path) -> bytes:
    table = pyarrow.ipc.open_file(file).read_all()
    return f"{table.schema} {table.to_pylist()}".encode()


def _sqlite(file: Path) -> bytes:
    with closing(sqlite3.connect(file)) as database:
        return "\n".join(database.iterdump()).encode()


def _duckdb(file: Path) -> bytes:
    with duckdb.connect(str(file), read_only=True) as database:
        names = [name for (name,) in database.execute("show tables").fetchall()]
        rows = {name: database.table(name).fetchall() for name in names}
    return f"{rows}".encode()


_PACKED: dict[str, Callable[[Path], bytes]] = {
    ".gz": _inflated,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".db": _sqlite,
    ".duckdb": _duckdb,
}
