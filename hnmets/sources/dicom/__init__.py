"""DICOM as hospitals export it: CT by position, contours and segmentations, nobody's name."""
