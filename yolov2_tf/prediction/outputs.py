"""What was seen, put where it is wanted: rows, drawings, a window, annotations, crops."""

from yolov2_tf.drawing.annotated import Annotations, Crops
from yolov2_tf.drawing.media import Window, written_media
from yolov2_tf.drawing.pictures import draw_detections
from yolov2_tf.evaluation.operating_points import above
from yolov2_tf.prediction.rows import as_row


class Outputs:
    """Takes what was seen, one source after the other.

    Args:
        class_names: What the labels index; a dict of a server's by label may still grow.
        limits: Score that detections are above, see `yolov2_tf.evaluation.operating_points.above`.
        write_row: Function that takes each row, see `yolov2_tf.prediction.rows.as_row`.
        out: Folder of drawings, annotations and crops, or None.
        show: Whether drawings are shown in a window.
        save: Form of the annotations, or None.
        crop: Whether detections are cut out.

    Attributes:
        frames: How many frames of films and cameras.

    Raises:
        InputError: If annotations cannot be had in that form or place.
    """

    def __init__(self, class_names, limits, write_row, out=None, *, show, save, crop):
        self.frames = 0
        self._names, self._limits, self._write_row = class_names, limits, write_row
        self._out = out
        self._window = Window() if show else None
        self._annotations = Annotations(out / save, save, class_names) if save else None
        self._crops = Crops(out / "crops", class_names) if crop else None

    def take(self, source, seen):
        """Takes a picture, or all frames; False if the user wants no more.

        A picture has its row once all else of it is written.

        Args:
            source: Its `Source`.
            seen: Iterable of its `yolov2_tf.prediction.stream.Seen`.

        Raises:
            InputError: If it cannot be read, or a drawing not be shown or written.
        """
        row, goes_on = None, True
        with written_media(source, self._out) as write:
            try:
                for one in seen:
                    if one.error:
                        raise one.error
                    if row is not None:
                        self._write_row(row)
                    row, drawn = self._put(one)
                    if self._out is not None:
                        write(drawn)
                    if self._window is not None:
                        goes_on = self._window.show(drawn, wait=source.kind == "picture")
                    if not goes_on:
                        break
            except KeyboardInterrupt:  # the end of a camera: what there is so far is kept
                if source.kind != "live":
                    raise
                goes_on = False
        if row is not None:
            self._write_row(row)
        return goes_on

    def _put(self, seen):
        """The row and the drawing of a picture or frame, whose other parts are written."""
        source, picture, found = seen.source, seen.picture, above(seen.found, self._limits)
        frame = source.kind != "picture"
        self.frames += frame
        if self._annotations is not None:
            self._annotations.add(source, picture, found)
        if self._crops is not None:
            place = source.drawn
            if frame:
                number = seen.name.rpartition("#")[2]
                place = place.with_name(f"{place.stem}-{number}{place.suffix}")
            self._crops.add(place, picture, found)
        drawn = None
        if self._out is not None or self._window is not None:
            found_ = found["boxes"], found["labels"], found["scores"]
            drawn = draw_detections(picture, *found_, self._names)
        return as_row(seen.name, found, self._names), drawn

    def pass_over(self, source):
        """Leaves out a picture that an earlier run was done with; its crops keep their names."""
        if self._crops is not None:
            self._crops.stem(source.drawn)

    def write_annotations(self):
        """Writes the annotations, if they are wanted; returns notes."""
        return () if self._annotations is None else self._annotations.write()

    @property
    def places(self):
        """Where drawings and annotations are: texts for a summary."""
        places = [] if self._out is None else [f"drawn in {self._out}"]
        saved = self._annotations
        return places + ([] if saved is None else [f"annotated in {saved.folder}"])

    def close(self):
        """Closes the window."""
        if self._window is not None:
            self._window.close()
